"""Where the next sites should open, computed as a job: its stored question, its result as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from functools import partial
from typing import Any, Final

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.export import DEMONSTRATION
from geo.coverage.measure import measure
from geo.coverage.tours import DAYS, Half
from geo.coverage.where_next import Candidate, Model, SitingPlan, SitingQuestion, where_next
from geo.errors import ImpossibleQuestion
from geo.people.need import inhabitants_of, need
from geo.reach.travel import load_travel
from geo.services.coverage import (
    question_from_parameters,
    question_parameters,
    question_to_dict,
    rounded,
)
from geo.services.job_process import Kind, Report
from geo.settings import Settings
from geo.snapshot import Snapshot
from geo.store import jobs, snapshots
from geo.store.database import Connection, engine_for
from geo.store.jobs import Job

KIND: Final = "siting"
SITES_MAX: Final = 100
TIME_LIMIT_MAX_S: Final = 120
HALF_DAYS: Final = tuple(f"{day} {half.value}" for day in DAYS for half in Half)
DEGREE_DECIMALS: Final = 6


def require_answerable(question: SitingQuestion, snapshot: Snapshot) -> None:
    """Refuse a question that its job would fail to answer.

    Raises
    ------
    InvalidParameter
        If the ages or the indicators it needs are not loaded.
    """
    inhabitants_of(snapshot.people, question.question.population)
    indicators = {indicator.code: indicator for indicator in snapshot.indicators}
    need(snapshot.people, indicators, dict(question.question.weights))


def ask(connection: Connection, question: SitingQuestion, moment: datetime, version: int) -> Job:
    """Queue a question and return its job; the job that has the same question already, if any.

    The day (the minute, for the slot "maintenant") and the version of the data belong to the
    question. The caller commits.

    Raises
    ------
    TooManyJobs
        If the queue is full.
    """
    job_id = jobs.ask(connection, KIND, question_to_job(question, moment, version), version)
    return jobs.find(connection, job_id)


def question_to_job(question: SitingQuestion, moment: datetime, version: int) -> dict[str, Any]:
    """Return a question as its job stores it: all that the answer depends on, but the installation."""
    slot = question.question.slot
    dated = moment if slot and slot.week else datetime.combine(moment.date(), time(), moment.tzinfo)
    return {
        "version": version,
        "moment": dated.isoformat(timespec="minutes"),
        "question": question_parameters(question.question),
        "model": question.model,
        "p": question.p,
        "within_min": question.within_min,
        "candidates": [[c.name, c.longitude, c.latitude] for c in question.candidates],
        "half_days": list(question.half_days),
        "base": question.base,
        "time_limit_s": question.time_limit_s,
    }


def question_from_job(stored: Mapping[str, Any]) -> SitingQuestion:
    """Return the question stored by `question_to_job`."""
    return SitingQuestion(
        question=question_from_parameters(stored["question"], datetime.fromisoformat(stored["moment"])),
        model=Model(stored["model"]),
        p=stored["p"],
        within_min=stored["within_min"],
        candidates=tuple(Candidate(name, x, y) for name, x, y in stored["candidates"]),
        half_days=tuple(stored["half_days"]),
        base=stored["base"],
        time_limit_s=stored["time_limit_s"],
    )


def kinds(settings: Settings) -> dict[str, Kind]:
    """Return the kinds of jobs the service runs, by name, for `geo.services.job_runner.JobRunner`."""
    return {KIND: partial(run, settings)}


def run(settings: Settings, stored: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Answer a question stored by `question_to_job`; runs in the process of its job.

    Raises
    ------
    ImpossibleQuestion
        If the data have changed since it was asked, or it has no answer.
    """
    report(0.0, "Lecture des données")
    engine = engine_for(settings)
    try:
        with engine.connect() as connection:
            snapshot = snapshots.read(connection, margin_km=settings.margin_km)
    finally:
        engine.dispose()
    if snapshot.version != stored["version"]:
        raise ImpossibleQuestion(
            "Les données ont changé depuis que la question a été posée.", "Posez-la de nouveau."
        )
    travel = load_travel(snapshot.roads, home=settings.home, detour_factor=settings.detour_factor)
    context = AnalysisContext(snapshot, travel, datetime.fromisoformat(stored["moment"]).date())
    return plan_to_dict(context, where_next(context, question_from_job(stored), report))


def plan_to_dict(context: AnalysisContext, plan: SitingPlan) -> dict[str, Any]:
    """Return an answer as JSON values: persons and minutes to the tenth, degrees to six decimals."""
    solution, snapshot = plan.plan, context.snapshot
    return {
        "model": plan.asked.model.value,
        "label": plan.asked.model.label,
        "status": solution.status,
        "method": solution.method,
        "gap": rounded(solution.gap, 6),
        "bound": rounded(solution.bound, 1),
        "objective": rounded(solution.objective, 1),
        "greedy_objective": rounded(solution.greedy_objective, 1),
        "seconds": round(solution.seconds, 2),
        "note": solution.note,
        "within_min": plan.asked.within_min,
        "people": round(plan.people, 1),
        "served_before": round(plan.served_before, 1),
        "out_of_reach": round(plan.out_of_reach, 1),
        **question_to_dict(measure(context, plan.asked.question)),
        "travel": context.travel.label,
        "people_label": context.people.label,
        "notice": DEMONSTRATION if snapshot.fictitious else None,
        "snapshot": {"version": snapshot.version, "taken_at": snapshot.taken_at.isoformat()},
        "sites": [
            {
                "rank": site.rank,
                **_candidate_to_dict(site.candidate),
                "people_gained": round(site.people_gained, 1),
                "people_cumulated": round(site.people_cumulated, 1),
                "minutes_saved": round(site.minutes_saved, 2),
            }
            for site in plan.opened
        ],
        "tour": [
            {
                "half_day": stop.half_day,
                **_candidate_to_dict(stop.candidate),
                "people_gained": round(stop.people_gained, 1),
                "driving_min": round(stop.driving_min, 1),
            }
            for stop in plan.tour
        ],
    }


def _candidate_to_dict(candidate: Candidate) -> dict[str, object]:
    return {
        "name": candidate.name,
        "commune": candidate.commune or None,
        "longitude": round(candidate.longitude, DEGREE_DECIMALS),
        "latitude": round(candidate.latitude, DEGREE_DECIMALS),
    }
