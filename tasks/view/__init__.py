"""From findings to sentences, figures and a page. Computes nothing, touches no disk."""
