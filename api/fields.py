"""The fields of a site as developers read about them: meaning and an example, told once.

Used by the query parameters and by the answers' schema alike. Meanings follow the national
standard « Lieux de médiation numérique » 1.0.2.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class About(NamedTuple):
    """What a field means, and a value it may have."""

    meaning: str
    example: object


FIELDS: Final[dict[str, About]] = {
    "id": About("Public identifier: dataset, two hyphens, identifier given by the producer.", "demo--1"),
    "pivot": About("SIRET of the structure (14 digits); `00000000000000` when unknown.", "00000000000000"),
    "nom": About("Name of the place.", "Médiathèque fictive"),
    "commune": About("Name of the commune.", "Agen"),
    "code_postal": About("Postal code, as text.", "47000"),
    "code_insee": About("INSEE code of the commune, as text.", "47001"),
    "adresse": About("Number and street.", "1 place de l'Exemple"),
    "complement_adresse": About("Building, floor, entrance.", "Rez-de-chaussée"),
    "latitude": About("Latitude, WGS 84 degrees.", 44.2033),
    "longitude": About("Longitude, WGS 84 degrees.", 0.6161),
    "typologie": About("Kind of structure, by the standard's codes.", "BIB"),
    "telephone": About("Telephone number, E.164.", "+33199000000"),
    "courriels": About("E-mail addresses.", "accueil@exemple.invalid"),
    "site_web": About("Web sites.", "https://exemple.invalid"),
    "horaires": About(
        "Opening hours as the source wrote them (OpenStreetMap's syntax when readable).",
        "Mo-Fr 09:00-12:00",
    ),
    "presentation_resume": About("Short presentation, 280 characters at most.", "Lieu fictif."),
    "presentation_detail": About("Full presentation.", "Lieu inventé pour la démonstration."),
    "source": About("Who published the record.", "Portée (fictif)"),
    "itinerance": About("Whether the place moves.", "Fixe"),
    "structure_parente": About("Structure the place belongs to.", "Réseau fictif"),
    "date_maj": About("Day the record was last checked, YYYY-MM-DD.", "2026-03-02"),
    "services": About("Kinds of help given.", "Aide aux démarches administratives"),
    "publics_specifiquement_adresses": About("People the place is meant for.", "Seniors"),
    "prise_en_charge_specifique": About("Needs the place is equipped for.", "Surdité"),
    "frais_a_charge": About("What it costs.", "Gratuit"),
    "dispositif_programmes_nationaux": About("National programmes.", "France Services"),
    "formations_labels": About("Training and labels, national list.", "Fabriques de Territoire"),
    "autres_formations_labels": About("Other training and labels.", "Label fictif"),
    "modalites_acces": About("How to come or make contact.", "Téléphoner"),
    "modalites_accompagnement": About("How help is given.", "Accompagnement individuel"),
    "fiche_acces_libre": About("Accessibility record on Acceslibre (URL).", "https://exemple.invalid/acces"),
    "prise_rdv": About("Where to book (URL).", "https://exemple.invalid/rdv"),
    "pass_numerique": About("Whether the Pass Numérique is accepted; null when not known.", "true"),
    "membre_reseau": About("Member of the local network; null when not known.", "true"),
    "acces_fauteuil": About("Accessible by wheelchair; null when not known.", "true"),
    "arrets": About("Where and when an itinerant place stops.", None),
    "jeu_de_donnees": About("Dataset the record belongs to.", "demo"),
    "position": About(
        "How well the place is located: `exacte`, `approximative` (at the town hall), `inconnue`.",
        "exacte",
    ),
    "signalements": About("Codes of the doubts the record is kept with.", None),
    "fictif": About("Invented for demonstration.", None),
}
