"""Examples of requests, replies and errors for the API's document. Tests check each against its
schema."""
