"""Validate raw rows: each becomes a source record or a rejection, and every finding is reported.

This module assembles the field parsers (contacts, dates, identifiers…), which are pure functions.
The findings are documented in docs/validation.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, TypeVar

from geo.errors import UnreadableFile
from geo.hours.parse import parse_closures, parse_hours, parse_stops
from geo.hours.remarks import read_remark
from geo.sites import standard
from geo.sites.closed_lists import parse_labels
from geo.sites.commune_resolver import Clues, CommuneResolver
from geo.sites.contacts import parse_emails, parse_urls
from geo.sites.coordinates import parse_coordinates
from geo.sites.dates import parse_update_date
from geo.sites.findings import CATALOGUE, Finding, carried_over_issue
from geo.sites.identifiers import local_id_in, parse_pivot
from geo.sites.location_evidence import AddressLocator
from geo.sites.model import (
    LOCAL_PREFIX,
    Issue,
    Position,
    RawRow,
    Severity,
    SourceRecord,
    Validated,
    record_key,
)
from geo.sites.position import FLAG_OF_POSITION, NOT_AT_ITS_COORDINATES, choose_position
from geo.sites.telephones import is_fax, parse_other_phones, parse_phones
from geo.sites.text import clean_text, fold
from geo.tables_out import unescape_formula
from geo.territory.former_communes import FormerCommunes
from geo.territory.margin import Margin
from geo.territory.model import Territory
from geo.wording import figures

ID_MAX: Final = 200
"""Longest identifier accepted, in characters."""

ROWS_MAX: Final = 100_000
"""Largest number of rows accepted or rejected: they are held in memory until they are stored."""

Value = TypeVar("Value")

_PROGRESS_EVERY = 256
_DATASET = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FLAG = re.compile(r"[a-z0-9_]{1,60}")
_YES = frozenset({"oui", "true", "vrai", "1", "o", "yes"})
_NO = frozenset({"non", "false", "faux", "0", "n", "no"})
_PARAGRAPHS = frozenset({"presentation_detail"})
_PACIFIC = ("986", "987", "988")


def validate(
    rows: Iterable[RawRow],
    *,
    territory: Territory,
    dataset: str,
    today: date,
    progress: Callable[[int], None] | None = None,
    addresses: AddressLocator | None = None,
    former: FormerCommunes = FormerCommunes(),
    margin: Margin | None = None,
) -> Validated:
    """Validate rows: each row is either accepted as a record or rejected.

    Parameters
    ----------
    territory
        Communes in which sites are located, including those of neighbouring départements.
    dataset
        Dataset of records whose row has no `ext_jeu_de_donnees`.
    today
        Dates of update after this day (and the next) are in the future.
    progress
        Called every 256 rows and at the end with the number of rows read.
    addresses
        Address base in which places without usable coordinates are looked up; None: they are placed at the
        town hall.
    former
        Register of the former communes of the territory and its neighbours.
    margin
        Records beyond it are only counted (`Tally.outside`); None: all are accepted.

    Raises
    ------
    UnreadableFile
        If more than `ROWS_MAX` rows are accepted or rejected.
    """
    resolver = CommuneResolver(territory, addresses, former)
    result = Validated()
    tally = result.tally
    seen: set[str] = set()
    for row in rows:
        tally.read += 1
        if progress and tally.read % _PROGRESS_EVERY == 0:
            progress(tally.read)
        record, issues = _record(row, resolver, dataset=dataset, today=today)
        if record is not None and margin is not None and not margin.includes(record):
            tally.outside += 1
            result.outside.add(record.key)
            continue
        if record is not None and record.key in seen:
            issues = [*issues, Finding("identifiant_en_double", "id", record.local_id).to_issue(row.line)]
            record = None
        if tally.read - tally.outside > ROWS_MAX:
            raise UnreadableFile(
                f"Ce fichier a plus de {figures.count(ROWS_MAX)} lieux à garder.",
                "Ne gardez que ceux du territoire et de ses abords, ou découpez-le par département.",
            )
        if row.sheet:
            issues = [replace(issue, sheet=row.sheet) for issue in issues]
        result.issues.extend(issues)
        if record is None:
            tally.rejected += 1
        else:
            seen.add(record.key)
            result.records.append(record)
            tally.accepted += 1
            found = {issue.severity for issue in issues}
            tally.flagged += Severity.FLAGGED in found
            tally.repaired += Severity.REPAIRED in found
    if progress:
        progress(tally.read)
    return result


@dataclass(slots=True)
class _Row:
    """The cells of a row, cleaned on access, and the findings so far."""

    values: dict[str, str]
    findings: list[Finding]

    def text(self, field: str) -> str:
        """Return the cleaned text of a cell, or "" when the source has none."""
        raw = self.values.get(field, "")
        if not raw:
            return ""
        text, changed = clean_text(raw, lines=field in _PARAGRAPHS)
        if changed:
            self.findings.append(Finding("texte_nettoye", field, raw))
        return text

    def take(self, parsed: tuple[Value, tuple[Finding, ...]]) -> Value:
        """Return a parsed value and record its findings."""
        value, findings = parsed
        self.findings.extend(findings)
        return value


_IDENTITY: Final = ("id", "source", f"{LOCAL_PREFIX}jeu_de_donnees")


def row_key(raw: RawRow, dataset: str) -> str:
    """Return the key of the record of a row, which it also has if the row is rejected.

    Parameters
    ----------
    dataset
        Dataset of the rows that name none.
    """
    own = _is_exported(raw)
    cells = {name: raw.values.get(name, "") for name in _IDENTITY}
    row = _Row({name: unescape_formula(cell) for name, cell in cells.items()} if own else cells, [])
    named, source = _dataset(row, dataset), row.text("source")
    return record_key(named, local_id_in(row.text("id"), dataset=named, source=source, exported=own), source)


def exported_id(raw: RawRow) -> str:
    """Return the identifier that the site of a row has in our own export; "" for a row of another file."""
    return clean_text(unescape_formula(raw.values.get("id", "")))[0] if _is_exported(raw) else ""


def _is_exported(raw: RawRow) -> bool:
    """Return whether a row is one of our own exports."""
    return bool(raw.values.get(f"{LOCAL_PREFIX}jeu_de_donnees"))


def _record(
    raw: RawRow, resolver: CommuneResolver, *, dataset: str, today: date
) -> tuple[SourceRecord | None, list[Issue]]:
    """Validate one row; return its record, or None when rejected, and all its issues."""
    issues = list(raw.issues)
    if any(issue.severity is Severity.REJECTED for issue in issues):
        return None, issues
    own = _is_exported(raw)
    row = _Row({name: unescape_formula(cell) for name, cell in raw.values.items()} if own else raw.values, [])
    name, row_dataset = row.text("nom"), _dataset(row, dataset)
    local_id = local_id_in(row.text("id"), dataset=row_dataset, source=row.text("source"), exported=own)
    code = _unusable(local_id, name)
    if code:
        row.findings.append(Finding(code, "nom" if code == "nom_absent" else "id", local_id))
        return None, [*issues, *_row_issues(row, raw.line)]

    pivot, complement = row.text("pivot"), row.text("complement_adresse")
    given = parse_coordinates(
        row.text("latitude"),
        row.text("longitude"),
        metric_crs=resolver.metric_crs,
        expected=resolver.contains,
    )
    clues = Clues(
        code_insee=row.text("code_insee"),
        name=row.text("commune"),
        code_postal=row.text("code_postal"),
        address=row.text("adresse"),
        site_name=name,
        point=given.point,
        complement=complement,
        pivot=pivot,
    )
    place = resolver.resolve(clues)
    row.findings.extend(place.findings)
    placed = choose_position(
        given,
        place.commune,
        resolver,
        exported=row.text(f"{LOCAL_PREFIX}position"),
        address=lambda: resolver.address_in(place.commune, clues),
    )
    row.findings.extend(placed.findings)
    if placed.latitude is None and not (place.name or place.code_postal or place.code_insee):
        row.findings.append(Finding("lieu_introuvable", "commune", clues.address))
        return None, [*issues, *_row_issues(row, raw.line)]
    if not clues.address:
        row.findings.append(Finding("adresse_absente", "adresse"))

    where = place.code_insee or place.code_postal
    summary, detail = _presentation(row)
    values: dict[str, Any] = dict(
        local_id=local_id,
        pivot=row.take(parse_pivot(pivot, pacific=where.startswith(_PACIFIC))),
        nom=name,
        commune=place.name,
        code_postal=place.code_postal,
        code_insee=place.code_insee,
        adresse=clues.address,
        complement_adresse=_with_former(complement, place.former, clues.address),
        latitude=placed.latitude,
        longitude=placed.longitude,
        **_phones(row, where),
        courriels=row.take(parse_emails(row.text("courriels"))),
        site_web=row.take(parse_urls("site_web", row.text("site_web"))),
        horaires=row.take(parse_hours(row.text("horaires"))),
        **_hours_facts(row, "" if own else f"{summary}\n{detail}"),
        presentation_resume=summary,
        presentation_detail=detail,
        source=row.text("source"),
        structure_parente=row.text("structure_parente"),
        date_maj=row.take(parse_update_date(row.text("date_maj"), today=today)),
        autres_formations_labels=_texts(row.text("autres_formations_labels")),
        fiche_acces_libre=_one_url(row, "fiche_acces_libre"),
        prise_rdv=_one_url(row, "prise_rdv"),
        **{field: row.take(parse_labels(field, row.text(field))) for field in standard.ENUMERATIONS},
        pass_numerique=_parse_boolean(row, "pass_numerique"),
        membre_reseau=_parse_boolean(row, "membre_reseau"),
        acces_fauteuil=_parse_boolean(row, "acces_fauteuil"),
        arrets=row.take(parse_stops(row.text(f"{LOCAL_PREFIX}arrets"))),
        jeu_de_donnees=row_dataset,
        position=placed.position,
        fictif=_parse_boolean(row, "fictif") or False,
    )
    record = SourceRecord(**values)
    issues.extend(_row_issues(row, raw.line))
    issues.extend(_carried_flags(row, record, issues, raw.line))
    flags = {issue.code for issue in issues if issue.severity is Severity.FLAGGED}
    flag = FLAG_OF_POSITION.get(placed.position)
    if flag and flags.isdisjoint(NOT_AT_ITS_COORDINATES):
        issue = Finding(flag, "latitude", "", "le fichier le dit").to_issue(raw.line)
        issues.append(issue)
        flags.add(issue.code)
    return replace(record, signalements=tuple(sorted(flags))) if flags else record, issues


def _unusable(local_id: str, name: str) -> str:
    """Return the code of the finding that rejects the row, or "" when identifier and name are valid."""
    if not local_id:
        return "identifiant_absent"
    if len(local_id) > ID_MAX:
        return "identifiant_trop_long"
    return "" if name else "nom_absent"


def _row_issues(row: _Row, line: int) -> Iterator[Issue]:
    return (finding.to_issue(line) for finding in row.findings)


def _carried_flags(row: _Row, record: SourceRecord, issues: list[Issue], line: int) -> list[Issue]:
    """Return issues for the flags of our own export that this import cannot detect, nor see fixed."""
    cell = row.text(f"{LOCAL_PREFIX}signalements")
    found = {issue.code for issue in issues}
    codes = dict.fromkeys(code for code in cell.split(standard.SEPARATOR) if _FLAG.fullmatch(code))
    return [
        carried_over_issue(code, line) for code in codes if code not in found and _still_holds(code, record)
    ]


def _still_holds(code: str, record: SourceRecord) -> bool:
    """Return whether a flag of an earlier import still holds: the value was lost and is still missing."""
    if code in CATALOGUE and not CATALOGUE[code].lossy:
        return False
    if code in NOT_AT_ITS_COORDINATES:
        return record.position is not Position.EXACTE
    fixed = {"pivot_invalide": record.pivot != standard.UNKNOWN_PIVOT, "telephone_invalide": record.telephone}
    return not fixed.get(code)


def _dataset(row: _Row, default: str) -> str:
    name = row.text(f"{LOCAL_PREFIX}jeu_de_donnees")
    if not name or _DATASET.fullmatch(name):
        return name or default
    row.findings.append(Finding("jeu_de_donnees_invalide", f"{LOCAL_PREFIX}jeu_de_donnees", name))
    return default


def _with_former(complement: str, former: str, address: str) -> str:
    """Return the address complement with the former commune that the record names, unless it is there."""
    said = fold(f"{address} {complement}")
    return complement if not former or fold(former) in said else ", ".join(filter(None, (complement, former)))


def _phones(row: _Row, code: str) -> dict[str, Any]:
    """Return the number to call and its remark, and the others with theirs; a fax is never called."""
    phones = row.take(parse_phones(row.text("telephone"), code))
    field = f"{LOCAL_PREFIX}autres_telephones"
    others = row.take(parse_other_phones(row.text(field), code))
    main = next((phone for phone in phones if not is_fax(phone)), None)
    remark = row.text(f"{LOCAL_PREFIX}telephone_remarque") if main else ""
    distinct = {phone.number: phone for phone in reversed((*phones, *others)) if phone is not main}
    return {
        "telephone": main.number if main else "",
        "telephone_remarque": (main.remark or remark) if main else "",
        "autres_telephones": tuple(
            str(phone) for phone in reversed(distinct.values()) if not main or phone.number != main.number
        ),
    }


def _hours_facts(row: _Row, presentation: str) -> dict[str, Any]:
    """Return appointments, closures and remarks: those given, else those that the presentation says."""
    names = ("sur_rendez_vous", "remarques_horaires", "fermetures")
    if not presentation.strip() or any(row.text(f"{LOCAL_PREFIX}{name}") for name in names):
        return {
            "sur_rendez_vous": _parse_boolean(row, "sur_rendez_vous"),
            "remarques_horaires": _texts(row.text(f"{LOCAL_PREFIX}remarques_horaires")),
            "fermetures": row.take(parse_closures(row.text(f"{LOCAL_PREFIX}fermetures"))),
        }
    remark = read_remark(presentation, prose=True)
    said = ["sur rendez-vous"] if remark.by_appointment else []
    said += [f"fermé : {closure}" for closure in remark.closures]
    if said:
        quoted = " ".join(remark.quotes)
        row.findings.append(Finding("remarque_lue", "presentation_detail", quoted, "; ".join(said)))
    return {
        "sur_rendez_vous": True if remark.by_appointment else None,
        "remarques_horaires": remark.quotes,
        "fermetures": remark.closures,
    }


def _presentation(row: _Row) -> tuple[str, str]:
    """Return summary and detail; a summary that is too long is cut at a word and moved to the detail."""
    summary, detail = row.text("presentation_resume"), row.text("presentation_detail")
    if len(summary) <= standard.RESUME_MAX:
        return summary, detail
    row.findings.append(Finding("resume_raccourci", "presentation_resume", summary))
    cut = summary[: standard.RESUME_MAX - 1]
    shortened = (cut.rpartition(" ")[0] or cut).rstrip(" ,;:.") + "…"
    return shortened, "\n\n".join(filter(None, (summary, detail)))


def _texts(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(str.strip, cell.split(standard.SEPARATOR)))))


def _one_url(row: _Row, field: str) -> str:
    """Return the first web address of a single-valued field; the others give a finding."""
    first, *others = row.take(parse_urls(field, row.text(field))) or ("",)
    row.findings.extend(
        Finding("url_refusee", field, other, "ce champ n'en tient qu'une") for other in others
    )
    return first


def _parse_boolean(row: _Row, fact: str) -> bool | None:
    field = f"{LOCAL_PREFIX}{fact}"
    word = row.text(field).casefold()
    if not word or word in _YES | _NO:
        return word in _YES if word else None
    row.findings.append(Finding("valeur_inconnue", field, word, advice="Écrivez « oui » ou « non »."))
    return None
