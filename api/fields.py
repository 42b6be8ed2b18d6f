"""The fields of a site as developers read about them: meaning and an example, told once.

Used by the query parameters and by the answers' schema alike. Meanings follow the national
standard « Lieux de médiation numérique » 1.0.2.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class FieldDescription(NamedTuple):
    """What a field means, and a value it may have."""

    meaning: str
    example: object


FIELDS: Final[dict[str, FieldDescription]] = {
    "id": FieldDescription(
        "Public identifier: dataset, two hyphens, identifier given by the producer.", "demo--1"
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
    "typologie": FieldDescription("Kind of structure, by the standard's codes.", "BIB"),
    "telephone": FieldDescription("Telephone number, E.164.", "+33199000000"),
    "courriels": FieldDescription("E-mail addresses.", "accueil@exemple.invalid"),
    "site_web": FieldDescription("Web sites.", "https://exemple.invalid"),
    "horaires": FieldDescription(
        "Opening hours as the source wrote them (OpenStreetMap's syntax when readable).",
        "Mo-Fr 09:00-12:00",
    ),
    "presentation_resume": FieldDescription("Short presentation, 280 characters at most.", "Lieu fictif."),
    "presentation_detail": FieldDescription("Full presentation.", "Lieu inventé pour la démonstration."),
    "source": FieldDescription("Who published the record.", "Portée (fictif)"),
    "itinerance": FieldDescription("Whether the place moves.", "Fixe"),
    "structure_parente": FieldDescription("Structure the place belongs to.", "Réseau fictif"),
    "date_maj": FieldDescription("Day the record was last checked, YYYY-MM-DD.", "2026-03-02"),
    "services": FieldDescription("Kinds of help given.", "Aide aux démarches administratives"),
    "publics_specifiquement_adresses": FieldDescription("People the place is meant for.", "Seniors"),
    "prise_en_charge_specifique": FieldDescription("Needs the place is equipped for.", "Surdité"),
    "frais_a_charge": FieldDescription("What it costs.", "Gratuit"),
    "dispositif_programmes_nationaux": FieldDescription("National programmes.", "France Services"),
    "formations_labels": FieldDescription("Training and labels, national list.", "Fabriques de Territoire"),
    "autres_formations_labels": FieldDescription("Other training and labels.", "Label fictif"),
    "modalites_acces": FieldDescription("How to come or make contact.", "Téléphoner"),
    "modalites_accompagnement": FieldDescription("How help is given.", "Accompagnement individuel"),
    "fiche_acces_libre": FieldDescription(
        "Accessibility record on Acceslibre (URL).", "https://exemple.invalid/acces"
    ),
    "prise_rdv": FieldDescription("Where to book (URL).", "https://exemple.invalid/rdv"),
    "pass_numerique": FieldDescription(
        "Whether the Pass Numérique is accepted; null when not known.", "true"
    ),
    "membre_reseau": FieldDescription("Member of the local network; null when not known.", "true"),
    "acces_fauteuil": FieldDescription("Accessible by wheelchair; null when not known.", "true"),
    "arrets": FieldDescription("Where and when an itinerant place stops.", None),
    "jeu_de_donnees": FieldDescription("Dataset the record belongs to.", "demo"),
    "position": FieldDescription(
        "How well the place is located: `exacte`, `approximative` (at the town hall), `inconnue`.",
        "exacte",
    ),
    "signalements": FieldDescription("Codes of the doubts the record is kept with.", None),
    "fictif": FieldDescription("Invented for demonstration.", None),
}
