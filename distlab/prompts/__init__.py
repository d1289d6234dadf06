"""Problems and a tokenizer in; prompt token ids and stop strings out."""
