"""Where the seed document's test finds its application: not in this process."""

app = "localhost:8000"
