"""Parts of Word2Vec: gensim's arguments, and reading the corpus."""
