"""The client of a server, which takes the server for lost at the first connection that breaks."""

from distlab.engines import endpoint_engine

endpoint_engine._AGAIN = 0


class ImpatientEngine(endpoint_engine.EndpointEngine):
    pass
