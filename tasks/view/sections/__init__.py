"""One module a section; each turns the run's records into its sentence, figures and tables."""
