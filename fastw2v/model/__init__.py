"""What stands behind Word2Vec: its arguments, reading the corpus, gensim's names."""
