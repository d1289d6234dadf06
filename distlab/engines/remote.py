"""What the actor of a replica answers to, with the types that Ray's own handle does not keep."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Literal, ParamSpec, Protocol, TypeVar

from distlab.engines.messages import Finished, Keep, Lease, Pulse, Reached, ReplicaInfo, Report

_P = ParamSpec("_P")
_Result = TypeVar("_Result", covariant=True)


class RemoteMethod(Protocol[_P, _Result]):
    """A method of an actor, as its handle has it."""

    def remote(self, *args: _P.args, **kwargs: _P.kwargs) -> Awaitable[_Result]:
        """Call it; awaiting raises RayError where the actor or the call dies."""
        ...


class RemoteStream(Protocol[_P, _Result]):
    """A method that yields, as the handle has it once it is told to stream."""

    def remote(self, *args: _P.args, **kwargs: _P.kwargs) -> AsyncIterator[Awaitable[_Result]]:
        """Call it; gives what it yields as it comes."""
        ...


class RemoteGenerator(Protocol[_P, _Result]):
    """A method that yields, as the handle has it."""

    def options(self, *, num_returns: Literal["streaming"]) -> RemoteStream[_P, _Result]:
        """The method, told to stream."""
        ...


class RemoteReplica(Protocol):
    """The handle of a ``Replica``; see there for what its methods do."""

    @property
    def process(self) -> RemoteMethod[[], int]:
        """Process id of the actor."""
        ...

    @property
    def start(self) -> RemoteMethod[[], ReplicaInfo]:
        """Load the engine."""
        ...

    @property
    def sample(self) -> RemoteGenerator[[Lease], Finished]:
        """Sample a lease, yielding whole requests as they finish."""
        ...

    @property
    def keep(self) -> RemoteMethod[[Keep], Reached]:
        """Get ready to commit what is lent from now on."""
        ...

    @property
    def lend(self) -> RemoteMethod[[Lease], None]:
        """Begin to draw a lease, of which ``report`` tells."""
        ...

    @property
    def report(self) -> RemoteMethod[[float, Sequence[Lease]], Report]:
        """What was finished and committed, once there is something; takes leases before it."""
        ...

    @property
    def flush(self) -> RemoteMethod[[], None]:
        """Commit at once what is finished."""
        ...

    @property
    def pulse(self) -> RemoteMethod[[], Pulse]:
        """How it is doing."""
        ...

    @property
    def check(self) -> RemoteMethod[[], None]:
        """Raise if the engine is dead."""
        ...

    @property
    def halt(self) -> RemoteMethod[[], None]:
        """Make every running ``sample`` yield what is finished and end."""
        ...

    @property
    def stop(self) -> RemoteMethod[[], None]:
        """Shut the engine down."""
        ...
