"""Real servers for tests: started on loopback by a fixture, ended with it. Tests skip where one is missing."""
