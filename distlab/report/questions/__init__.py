"""The report's questions, one file each: its tables, sentences, charts and terms.

``order`` lists them. Tables that most of them read are below them, in ``report.gap_table`` and
``report.score_table``.
"""
