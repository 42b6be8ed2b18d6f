"""Description and example of each field of a site.

Used by the query parameters and by the response models. Descriptions follow the national
standard « Lieux de médiation numérique » 1.0.2.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class FieldDescription(NamedTuple):
    """Description of a field, and an example value."""

    meaning: str
    example: object


FIELDS: Final[dict[str, FieldDescription]] = {
    "id": FieldDescription(
        "Public identifier: dataset, two hyphens, identifier from the producer.", "demo--1"
    ),
    "pivot": FieldDescription(
        "SIRET of the structure (14 digits); `00000000000000` when unknown.", "00000000000000"
    ),
    "nom": FieldDescription("Name of the place.", "Médiathèque fictive"),
    "commune": FieldDescription("Name of the commune.", "Agen"),
    "code_postal": FieldDescription("Postal code, as text.", "47000"),
    "code_insee": FieldDescription("INSEE code of the commune, as text.", "47001"),
    "adresse": FieldDescription("Number and street.", "1 place de l'Exemple"),
    "complement_adresse": FieldDescription("Building, floor, entrance.", "Rez-de-chaussée"),
    "latitude": FieldDescription("Latitude, WGS 84 degrees.", 44.2033),
    "longitude": FieldDescription("Longitude, WGS 84 degrees.", 0.6161),
    "typologie": FieldDescription("Type of structure (codes of the national standard).", "BIB"),
    "telephone": FieldDescription(
        "Telephone number, E.164; a short number (3939) as its digits.", "+33199000000"
    ),
    "courriels": FieldDescription("E-mail addresses.", "accueil@exemple.invalid"),
    "site_web": FieldDescription("Web sites.", "https://exemple.invalid"),
    "horaires": FieldDescription(
        "Opening hours as published by the source (OpenStreetMap syntax if readable).",
        "Mo-Fr 09:00-12:00",
    ),
    "presentation_resume": FieldDescription("Short presentation, 280 characters at most.", "Lieu fictif."),
    "presentation_detail": FieldDescription("Full presentation.", "Lieu inventé pour la démonstration."),
    "source": FieldDescription("Publisher of the record.", "Portée (fictif)"),
    "itinerance": FieldDescription("Whether the place is mobile.", "Fixe"),
    "structure_parente": FieldDescription("Structure the place belongs to.", "Réseau fictif"),
    "date_maj": FieldDescription("Date of the last check of the record, YYYY-MM-DD.", "2026-03-02"),
    "services": FieldDescription("Services offered.", "Aide aux démarches administratives"),
    "publics_specifiquement_adresses": FieldDescription("Target groups.", "Seniors"),
    "prise_en_charge_specifique": FieldDescription("Special needs the place is equipped for.", "Surdité"),
    "frais_a_charge": FieldDescription("Cost for the user.", "Gratuit"),
    "dispositif_programmes_nationaux": FieldDescription("National programmes.", "France Services"),
    "formations_labels": FieldDescription(
        "Training and labels from the national list.", "Fabriques de Territoire"
    ),
    "autres_formations_labels": FieldDescription("Other training and labels.", "Label fictif"),
    "modalites_acces": FieldDescription("How to visit or make contact.", "Téléphoner"),
    "modalites_accompagnement": FieldDescription("How support is provided.", "Accompagnement individuel"),
    "fiche_acces_libre": FieldDescription(
        "Accessibility record on Acceslibre (URL).", "https://exemple.invalid/acces"
    ),
    "prise_rdv": FieldDescription("Booking URL.", "https://exemple.invalid/rdv"),
    "pass_numerique": FieldDescription("Whether the Pass Numérique is accepted; null if unknown.", "true"),
    "membre_reseau": FieldDescription("Member of the local network; null if unknown.", "true"),
    "acces_fauteuil": FieldDescription("Wheelchair accessible; null if unknown.", "true"),
    "arrets": FieldDescription("Stops of a mobile place: where and when.", None),
    "autres_telephones": FieldDescription(
        "Other telephone numbers, each with its remark in parentheses; short numbers as digits.",
        "+33199000001 (secrétariat)",
    ),
    "telephone_remarque": FieldDescription("What the source says beside `telephone`.", "poste 12"),
    "sur_rendez_vous": FieldDescription(
        "Whether people are received by appointment only; null if unknown. When true, `horaires` are the "
        "hours of appointments: nobody is received without one.",
        "true",
    ),
    "remarques_horaires": FieldDescription(
        "Sentences of the source to show beside the hours.", "Uniquement le matin."
    ),
    "fermetures": FieldDescription(
        "Closures: opening_hours date selectors, each with an optional reason in double quotes.",
        '2026 Dec 24-2027 Jan 02 "congés"',
    ),
    "jeu_de_donnees": FieldDescription("Dataset of the record that named the site.", "demo"),
    "position": FieldDescription(
        "Precision of the location: `exacte`, `adresse` (house number, by the address base), `rue` (street), "
        "`approximative` (town hall), `inconnue`.",
        "exacte",
    ),
    "signalements": FieldDescription("Codes of the quality flags of the record.", None),
    "fictif": FieldDescription("Whether the record is fictitious (demonstration).", None),
}
