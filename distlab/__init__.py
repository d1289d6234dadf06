"""distlab: are instruction-tuned models really better than their base models?"""

__version__ = "0.1.0"
