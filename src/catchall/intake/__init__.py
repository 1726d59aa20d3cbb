"""The front: takes errors in, answers once they are durable, and leads everything else to the web process."""
