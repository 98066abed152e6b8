"""The data holder's node: the model comes to the data, aggregates leave, encrypted to whoever paid for them."""
