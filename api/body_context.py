"""What request bodies are validated against: the current data and the references they may name.

A dependency of the route sets the context before FastAPI validates the body; validators of the fields
read it. References that do not exist are thus reported together with every other problem of a body.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from api.rendered_snapshot import CurrentView
from api.service import AppState, app_state
from geo.funding.passes import Order
from geo.snapshot import Snapshot
from geo.store import actions, passes


@dataclass(frozen=True)
class BodyContext:
    """The current data, and the references that a body may name."""

    current: CurrentView
    communes: Collection[str] = ()
    partners: Collection[str] = ()
    sites: Collection[str] = ()
    orders: Mapping[str, Order] = field(default_factory=dict)

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot of the current data."""
        return self.current.view.snapshot

    @property
    def today(self) -> date:
        """The present day where the sites are."""
        return self.current.view.clock().date()


_CONTEXT: ContextVar[BodyContext] = ContextVar("portee_body_context")


def body_context() -> BodyContext:
    """Return the context of the request whose body is being validated."""
    return _CONTEXT.get()


# The dependencies are coroutines because a context variable set in a worker thread is lost there.


async def use_snapshot(request: Request) -> BodyContext:
    """Validate the body against the current snapshot."""
    context = BodyContext(app_state(request).current())
    _CONTEXT.set(context)
    return context


async def use_fund_references(request: Request) -> BodyContext:
    """Validate the body against the communes, partners and sites of the fund."""
    context = await run_in_threadpool(_fund_references, app_state(request))
    _CONTEXT.set(context)
    return context


async def use_pass_references(request: Request) -> BodyContext:
    """Validate the body against the orders, communes, partners and sites of passes."""
    context = await run_in_threadpool(_pass_references, app_state(request))
    _CONTEXT.set(context)
    return context


def _fund_references(service: AppState) -> BodyContext:
    with service.connect() as connection:
        current = service.current()
        known = actions.action_references(connection, current.view.snapshot.territory.code)
    return BodyContext(current, known.communes, known.partners, known.sites)


def _pass_references(service: AppState) -> BodyContext:
    with service.connect() as connection:
        current = service.current()
        known = passes.pass_references(connection, current.view.snapshot.territory)
    return BodyContext(current, known.communes, known.partners, known.sites, known.orders)


SnapshotContext = Annotated[BodyContext, Depends(use_snapshot)]
FundContext = Annotated[BodyContext, Depends(use_fund_references)]
PassContext = Annotated[BodyContext, Depends(use_pass_references)]
