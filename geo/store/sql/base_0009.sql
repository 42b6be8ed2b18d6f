-- Every table at revision 0009, the first one: what geo.store.tables described then. Never changed: later
-- revisions alter it. Guards are in ledger_guards.sql and pass_guards.sql. Meaning of each table: docs/store.md.

CREATE TABLE territory (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT territory_pkey PRIMARY KEY (code)
);

CREATE TABLE commune (
    code TEXT NOT NULL,
    own BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    departement_code TEXT NOT NULL,
    departement_name TEXT NOT NULL,
    postal_codes TEXT[] NOT NULL,
    population INTEGER NOT NULL,
    epci_code TEXT NOT NULL,
    epci_name TEXT NOT NULL,
    canton_code TEXT NOT NULL,
    canton_name TEXT NOT NULL,
    arrondissement_code TEXT NOT NULL,
    arrondissement_name TEXT NOT NULL,
    town_hall geometry(POINT,4326) NOT NULL,
    boundary geometry(MULTIPOLYGON,4326) NOT NULL,
    CONSTRAINT commune_pkey PRIMARY KEY (code)
);
CREATE INDEX commune_boundary_idx ON commune USING gist (boundary);
CREATE INDEX commune_town_hall_idx ON commune USING gist (town_hall);
COMMENT ON COLUMN commune.own IS 'of the territory; false: a neighbour''s, as context';

CREATE TABLE grouping (
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    communes TEXT[] NOT NULL,
    population INTEGER NOT NULL,
    boundary geometry(MULTIPOLYGON,4326) NOT NULL,
    partial BOOLEAN NOT NULL,
    CONSTRAINT grouping_pkey PRIMARY KEY (kind, code)
);
CREATE INDEX grouping_boundary_idx ON grouping USING gist (boundary);

CREATE TABLE provenance (
    rank INTEGER NOT NULL,
    subject TEXT NOT NULL,
    producer TEXT NOT NULL,
    vintage TEXT NOT NULL,
    licence TEXT NOT NULL,
    retrieved DATE,
    CONSTRAINT provenance_pkey PRIMARY KEY (rank)
);

CREATE TABLE import_run (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    file_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    format TEXT NOT NULL,
    label TEXT NOT NULL,
    licence TEXT NOT NULL,
    datasets TEXT[] NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    read INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    flagged INTEGER NOT NULL,
    repaired INTEGER NOT NULL,
    "new" INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    vanished INTEGER NOT NULL,
    CONSTRAINT import_run_pkey PRIMARY KEY (id),
    CONSTRAINT import_run_tally_check CHECK (read = accepted + rejected)
);

CREATE TABLE import_issue (
    import_id INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    line INTEGER NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    severity TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    advice TEXT NOT NULL,
    CONSTRAINT import_issue_pkey PRIMARY KEY (import_id, rank),
    CONSTRAINT import_issue_import_id_fkey FOREIGN KEY(import_id) REFERENCES import_run (id) ON DELETE CASCADE
);

CREATE TABLE site (
    id TEXT NOT NULL,
    local_id TEXT NOT NULL,
    pivot TEXT NOT NULL,
    nom TEXT NOT NULL,
    commune TEXT NOT NULL,
    code_postal TEXT NOT NULL,
    adresse TEXT NOT NULL,
    date_maj DATE,
    code_insee TEXT NOT NULL,
    complement_adresse TEXT NOT NULL,
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    typologie TEXT[] NOT NULL,
    telephone TEXT NOT NULL,
    courriels TEXT[] NOT NULL,
    site_web TEXT[] NOT NULL,
    horaires TEXT NOT NULL,
    presentation_resume TEXT NOT NULL,
    presentation_detail TEXT NOT NULL,
    source TEXT NOT NULL,
    itinerance TEXT[] NOT NULL,
    structure_parente TEXT NOT NULL,
    services TEXT[] NOT NULL,
    publics_specifiquement_adresses TEXT[] NOT NULL,
    prise_en_charge_specifique TEXT[] NOT NULL,
    frais_a_charge TEXT[] NOT NULL,
    dispositif_programmes_nationaux TEXT[] NOT NULL,
    formations_labels TEXT[] NOT NULL,
    autres_formations_labels TEXT[] NOT NULL,
    modalites_acces TEXT[] NOT NULL,
    modalites_accompagnement TEXT[] NOT NULL,
    fiche_acces_libre TEXT NOT NULL,
    prise_rdv TEXT NOT NULL,
    pass_numerique BOOLEAN,
    membre_reseau BOOLEAN,
    acces_fauteuil BOOLEAN,
    arrets JSONB NOT NULL,
    jeu_de_donnees TEXT NOT NULL,
    position TEXT NOT NULL,
    signalements TEXT[] NOT NULL,
    fictif BOOLEAN NOT NULL,
    geom geometry(POINT,4326) GENERATED ALWAYS AS (st_setsrid(st_makepoint(longitude, latitude), 4326)) STORED,
    first_import INTEGER NOT NULL,
    last_import INTEGER NOT NULL,
    retired_at timestamptz,
    CONSTRAINT site_pkey PRIMARY KEY (id),
    CONSTRAINT site_first_import_fkey FOREIGN KEY(first_import) REFERENCES import_run (id),
    CONSTRAINT site_last_import_fkey FOREIGN KEY(last_import) REFERENCES import_run (id)
);
CREATE INDEX site_code_insee_idx ON site (code_insee);
CREATE INDEX site_geom_idx ON site USING gist (geom);
CREATE INDEX site_jeu_de_donnees_idx ON site (jeu_de_donnees);
COMMENT ON COLUMN site.id IS 'public identifier: dataset--local identifier';
COMMENT ON COLUMN site.arrets IS '[[place, day, hours], …]';
COMMENT ON COLUMN site.last_import IS 'the last that brought, changed, retired or returned it';

CREATE TABLE site_change (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    import_id INTEGER NOT NULL,
    site_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    field TEXT,
    before JSONB,
    after JSONB,
    changed_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT site_change_pkey PRIMARY KEY (id),
    CONSTRAINT site_change_kind_check CHECK (kind IN ('new', 'changed', 'retired', 'returned')),
    CONSTRAINT site_change_field_check CHECK ((kind = 'changed') = (field IS NOT NULL)),
    CONSTRAINT site_change_import_id_fkey FOREIGN KEY(import_id) REFERENCES import_run (id)
);
CREATE INDEX site_change_import_id_idx ON site_change (import_id);
CREATE INDEX site_change_site_id_id_idx ON site_change (site_id, id);
COMMENT ON COLUMN site_change.field IS 'one of the record''s when kind is ''changed''';

CREATE TABLE duplicate (
    a TEXT NOT NULL,
    b TEXT NOT NULL,
    score DOUBLE PRECISION NOT NULL,
    reasons TEXT[] NOT NULL,
    proposed_at timestamptz DEFAULT now() NOT NULL,
    same BOOLEAN,
    hidden TEXT,
    decided_by TEXT,
    decided_at timestamptz,
    CONSTRAINT duplicate_pkey PRIMARY KEY (a, b),
    CONSTRAINT duplicate_ordered_check CHECK (a < b COLLATE "C"),
    CONSTRAINT duplicate_hidden_check CHECK (same IS NOT TRUE OR hidden IN (a, b))
);
CREATE INDEX duplicate_b_idx ON duplicate (b);
COMMENT ON COLUMN duplicate.same IS 'the decision; null: none yet';
COMMENT ON COLUMN duplicate.hidden IS 'the record not shown when both are the same place';

CREATE TABLE data_version (
    singleton BOOLEAN DEFAULT true NOT NULL,
    version BIGINT NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT data_version_pkey PRIMARY KEY (singleton),
    CONSTRAINT data_version_singleton_check CHECK (singleton)
);

CREATE TABLE road_graph (
    checksum TEXT NOT NULL,
    file_name TEXT NOT NULL,
    format TEXT NOT NULL,
    producer TEXT NOT NULL,
    vintage TEXT NOT NULL,
    licence TEXT NOT NULL,
    built_at timestamptz NOT NULL,
    loaded_at timestamptz DEFAULT now() NOT NULL,
    summary JSONB NOT NULL,
    CONSTRAINT road_graph_pkey PRIMARY KEY (checksum)
);
COMMENT ON COLUMN road_graph.checksum IS 'of the artefact in the roads folder';
COMMENT ON COLUMN road_graph.summary IS 'nodes, edges, components, dropped';

CREATE TABLE population (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    label TEXT NOT NULL,
    producer TEXT NOT NULL,
    vintage TEXT NOT NULL,
    licence TEXT NOT NULL,
    file_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    cell_m INTEGER NOT NULL,
    loaded_at timestamptz DEFAULT now() NOT NULL,
    summary JSONB NOT NULL,
    CONSTRAINT population_pkey PRIMARY KEY (id),
    CONSTRAINT population_cell_m_check CHECK (cell_m > 0)
);
COMMENT ON COLUMN population.cell_m IS 'side of a cell, metres';
COMMENT ON COLUMN population.summary IS 'cells read, accepted, rejected and why';

CREATE TABLE population_cell (
    population_id INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    commune TEXT NOT NULL,
    point geometry(POINT,4326) NOT NULL,
    inhabitants DOUBLE PRECISION NOT NULL,
    aged_65 DOUBLE PRECISION,
    CONSTRAINT population_cell_pkey PRIMARY KEY (population_id, rank),
    CONSTRAINT population_cell_inhabitants_check CHECK (inhabitants >= 0),
    CONSTRAINT population_cell_aged_65_check CHECK (aged_65 >= 0),
    CONSTRAINT population_cell_population_id_fkey FOREIGN KEY(population_id) REFERENCES population (id) ON DELETE CASCADE
);
COMMENT ON COLUMN population_cell.commune IS 'the part of a cell that lies in one commune';
COMMENT ON COLUMN population_cell.aged_65 IS 'of them, aged 65 or over; null: not told';

CREATE TABLE indicator (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    level TEXT NOT NULL,
    column_name TEXT NOT NULL,
    producer TEXT NOT NULL,
    vintage TEXT NOT NULL,
    licence TEXT NOT NULL,
    file_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    loaded_at timestamptz DEFAULT now() NOT NULL,
    summary JSONB NOT NULL,
    CONSTRAINT indicator_pkey PRIMARY KEY (code),
    CONSTRAINT indicator_level_check CHECK (level IN ('iris', 'commune'))
);
COMMENT ON COLUMN indicator.summary IS 'rows read, accepted, rejected and why';

CREATE TABLE indicator_value (
    indicator_code TEXT NOT NULL,
    area TEXT NOT NULL,
    commune TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    inhabitants DOUBLE PRECISION,
    CONSTRAINT indicator_value_pkey PRIMARY KEY (indicator_code, area),
    CONSTRAINT indicator_value_indicator_code_fkey FOREIGN KEY(indicator_code) REFERENCES indicator (code) ON DELETE CASCADE
);
COMMENT ON COLUMN indicator_value.area IS 'IRIS or commune, by the indicator''s level';
COMMENT ON COLUMN indicator_value.inhabitants IS 'of the area, where the file tells them; null: not told';

CREATE TABLE address_file (
    rank INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    producer TEXT NOT NULL,
    licence TEXT NOT NULL,
    loaded_at timestamptz DEFAULT now() NOT NULL,
    summary JSONB NOT NULL,
    CONSTRAINT address_file_pkey PRIMARY KEY (rank)
);
COMMENT ON COLUMN address_file.summary IS 'rows read, accepted, doubled, outside, rejected and why';

CREATE TABLE address_street (
    id TEXT NOT NULL,
    hamlet BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    words TEXT NOT NULL,
    postcode TEXT NOT NULL,
    commune TEXT NOT NULL,
    commune_name TEXT NOT NULL,
    former TEXT NOT NULL,
    population INTEGER NOT NULL,
    point geometry(POINT,4326) NOT NULL,
    CONSTRAINT address_street_pkey PRIMARY KEY (id)
);
CREATE INDEX address_street_commune_idx ON address_street (commune);
CREATE INDEX address_street_postcode_idx ON address_street (postcode);
CREATE INDEX address_street_words_idx ON address_street USING gin (words gin_trgm_ops) WITH (fastupdate = off);
COMMENT ON COLUMN address_street.id IS 'of the register: commune and street, 47001_0010';
COMMENT ON COLUMN address_street.hamlet IS 'a lieu-dit rather than a street';
COMMENT ON COLUMN address_street.kind IS 'rue, chemin…, as names are compared, or empty';
COMMENT ON COLUMN address_street.words IS 'the rest of its name, likewise';
COMMENT ON COLUMN address_street.former IS 'name of its commune before a merger, or empty';
COMMENT ON COLUMN address_street.population IS 'of the commune: the more likely among equals';

CREATE TABLE address_number (
    street TEXT NOT NULL,
    number INTEGER NOT NULL,
    repetition TEXT NOT NULL,
    point geometry(POINT,4326) NOT NULL,
    CONSTRAINT address_number_pkey PRIMARY KEY (street, number, repetition),
    CONSTRAINT address_number_number_check CHECK (number >= 0),
    CONSTRAINT address_number_street_fkey FOREIGN KEY(street) REFERENCES address_street (id) ON DELETE CASCADE
);
COMMENT ON COLUMN address_number.repetition IS 'bis, ter, a…, or empty';

CREATE TABLE dated_snapshot (
    name TEXT NOT NULL,
    day DATE NOT NULL,
    last_change BIGINT NOT NULL,
    version BIGINT NOT NULL,
    kept_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT dated_snapshot_pkey PRIMARY KEY (name)
);
COMMENT ON COLUMN dated_snapshot.day IS 'the day its data describe';
COMMENT ON COLUMN dated_snapshot.last_change IS 'the last site_change that counts';

CREATE TABLE scenario (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    edits JSONB NOT NULL,
    base_version BIGINT NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT scenario_pkey PRIMARY KEY (id),
    UNIQUE (name)
);
COMMENT ON COLUMN scenario.edits IS 'what is opened, closed, moved, or open at other hours';
COMMENT ON COLUMN scenario.base_version IS 'the data''s version when last saved';

CREATE TABLE job (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    question JSONB NOT NULL,
    snapshot_version BIGINT NOT NULL,
    state TEXT DEFAULT 'queued' NOT NULL,
    progress DOUBLE PRECISION DEFAULT '0' NOT NULL,
    message TEXT DEFAULT '' NOT NULL,
    result JSONB,
    asked_at timestamptz DEFAULT now() NOT NULL,
    seen_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT job_pkey PRIMARY KEY (id),
    CONSTRAINT job_state_check CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    CONSTRAINT job_ended_check CHECK ((ended_at IS NULL) = (state IN ('queued', 'running'))),
    CONSTRAINT job_result_check CHECK ((result IS NOT NULL) = (state = 'done'))
);
CREATE INDEX job_state_asked_at_idx ON job (state, asked_at);
COMMENT ON COLUMN job.progress IS 'from 0 to 1';
COMMENT ON COLUMN job.seen_at IS 'when its worker last gave a sign of life';

CREATE TABLE token (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    scopes TEXT[] NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT token_pkey PRIMARY KEY (id),
    UNIQUE (sha256)
);
COMMENT ON COLUMN token.sha256 IS 'of the secret, which is told once';

CREATE TABLE partner (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    siret TEXT NOT NULL,
    contact_role TEXT NOT NULL,
    website TEXT NOT NULL,
    note TEXT NOT NULL,
    network_from DATE,
    network_to DATE,
    fictif BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT partner_pkey PRIMARY KEY (code),
    CONSTRAINT partner_kind_check CHECK (kind IN ('public', 'association', 'operator', 'company')),
    CONSTRAINT partner_network_check CHECK (network_to IS NULL OR network_to >= network_from)
);
COMMENT ON COLUMN partner.code IS 'short name: caf-47';
COMMENT ON COLUMN partner.contact_role IS 'a function, never a person';
COMMENT ON COLUMN partner.network_from IS 'member of the local network from this day; null: never';
COMMENT ON COLUMN partner.network_to IS 'to this day; null: still';

CREATE TABLE convention (
    partner_code TEXT NOT NULL,
    year INTEGER NOT NULL,
    reference TEXT NOT NULL,
    note TEXT NOT NULL,
    CONSTRAINT convention_pkey PRIMARY KEY (partner_code, year, reference),
    CONSTRAINT convention_partner_code_fkey FOREIGN KEY(partner_code) REFERENCES partner (code)
);

CREATE TABLE partner_site (
    partner_code TEXT NOT NULL,
    site_id TEXT NOT NULL,
    role TEXT NOT NULL,
    CONSTRAINT partner_site_pkey PRIMARY KEY (partner_code, site_id, role),
    CONSTRAINT partner_site_role_check CHECK (role IN ('runs', 'supports')),
    CONSTRAINT partner_site_partner_code_fkey FOREIGN KEY(partner_code) REFERENCES partner (code)
);

CREATE TABLE fund_rule (
    day DATE NOT NULL,
    rate_bp INTEGER NOT NULL,
    ceiling_cents BIGINT,
    note TEXT NOT NULL,
    CONSTRAINT fund_rule_pkey PRIMARY KEY (day),
    CONSTRAINT fund_rule_rate_bp_check CHECK (rate_bp >= 0),
    CONSTRAINT fund_rule_ceiling_cents_check CHECK (ceiling_cents >= 0)
);
COMMENT ON COLUMN fund_rule.day IS 'from this day on';
COMMENT ON COLUMN fund_rule.rate_bp IS 'cents matched for 10 000 given: 10 000 is one for one';
COMMENT ON COLUMN fund_rule.ceiling_cents IS 'of the match in a calendar year; null: none';

CREATE TABLE fund_close (
    until DATE NOT NULL,
    actor TEXT NOT NULL,
    closed_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT fund_close_pkey PRIMARY KEY (until)
);
COMMENT ON COLUMN fund_close.until IS 'no entry may bear this day or an earlier one';

CREATE TABLE ledger_entry (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    day DATE NOT NULL,
    reference TEXT NOT NULL,
    partner_code TEXT,
    level TEXT,
    action_line TEXT,
    commune TEXT,
    site_id TEXT,
    reverses BIGINT,
    commitment_id BIGINT,
    contribution_id BIGINT,
    due_cents BIGINT,
    memo TEXT NOT NULL,
    actor TEXT NOT NULL,
    fictif BOOLEAN DEFAULT false NOT NULL,
    posted_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    tx BIGINT DEFAULT (pg_current_xact_id()::text)::bigint NOT NULL,
    CONSTRAINT ledger_entry_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_entry_level_check CHECK (level IN ('local', 'national', 'european')),
    CONSTRAINT ledger_entry_reverses_check CHECK ((kind = 'reversal') = (reverses IS NOT NULL)),
    CONSTRAINT ledger_entry_kind_check CHECK (kind IN ('contribution', 'match', 'commitment', 'release', 'payment', 'reversal')),
    CONSTRAINT ledger_entry_source_check CHECK (kind <> 'contribution' OR (partner_code IS NOT NULL AND level IS NOT NULL)),
    CONSTRAINT ledger_entry_action_line_check CHECK (kind <> 'commitment' OR action_line IS NOT NULL),
    CONSTRAINT ledger_entry_commitment_id_check CHECK (kind = 'reversal' OR (kind IN ('release', 'payment')) = (commitment_id IS NOT NULL)),
    CONSTRAINT ledger_entry_contribution_id_check CHECK (kind = 'reversal' OR (kind = 'match') = (contribution_id IS NOT NULL)),
    CONSTRAINT ledger_entry_due_cents_check CHECK (kind = 'reversal' OR CASE WHEN kind = 'contribution' THEN coalesce(due_cents, -1) >= 0 ELSE due_cents IS NULL END),
    CONSTRAINT ledger_entry_reference_check CHECK (reference <> ''),
    UNIQUE (reference)
);
CREATE INDEX ledger_entry_commitment_id_idx ON ledger_entry (commitment_id) WHERE commitment_id IS NOT NULL;
CREATE INDEX ledger_entry_contribution_id_idx ON ledger_entry (contribution_id) WHERE contribution_id IS NOT NULL;
CREATE INDEX ledger_entry_partner_code_day_idx ON ledger_entry (partner_code, day);
CREATE UNIQUE INDEX ledger_entry_reverses_key ON ledger_entry (reverses) WHERE reverses IS NOT NULL;
COMMENT ON COLUMN ledger_entry.day IS 'the day it counts for';
COMMENT ON COLUMN ledger_entry.level IS 'source of a contribution: local, national, european';
COMMENT ON COLUMN ledger_entry.commune IS 'INSEE code of the commune it is for';
COMMENT ON COLUMN ledger_entry.commitment_id IS 'what is released or paid out of';
COMMENT ON COLUMN ledger_entry.contribution_id IS 'what is matched';
COMMENT ON COLUMN ledger_entry.due_cents IS 'of a contribution: what the rate adds to it, ceiling aside';
COMMENT ON COLUMN ledger_entry.tx IS 'the transaction that posted it: no other may add postings';

CREATE TABLE ledger_posting (
    entry_id BIGINT NOT NULL,
    account TEXT NOT NULL,
    amount_cents BIGINT NOT NULL,
    CONSTRAINT ledger_posting_pkey PRIMARY KEY (entry_id, account),
    CONSTRAINT ledger_posting_account_check CHECK (account IN ('partners', 'departement', 'available', 'committed', 'paid')),
    CONSTRAINT ledger_posting_amount_cents_check CHECK (amount_cents <> 0)
);
COMMENT ON COLUMN ledger_posting.amount_cents IS 'sums to 0 over an entry';

CREATE TABLE ledger_balance (
    account TEXT NOT NULL,
    amount_cents BIGINT NOT NULL,
    CONSTRAINT ledger_balance_pkey PRIMARY KEY (account),
    CONSTRAINT ledger_balance_amount_cents_check CHECK (account NOT IN ('available', 'committed', 'paid') OR amount_cents >= 0)
);
COMMENT ON COLUMN ledger_balance.amount_cents IS 'sum of its postings, kept by their trigger';

CREATE TABLE ledger_unposted (
    entries BIGINT NOT NULL,
    CONSTRAINT ledger_unposted_entries_check CHECK (entries >= 0)
);
COMMENT ON COLUMN ledger_unposted.entries IS 'entries of the transaction that still lack postings: 0 at every commit';

CREATE TABLE pass_order (
    reference TEXT NOT NULL,
    day DATE NOT NULL,
    count INTEGER NOT NULL,
    face_value_cents INTEGER DEFAULT '1000' NOT NULL,
    expires_on DATE NOT NULL,
    funders JSONB NOT NULL,
    note TEXT NOT NULL,
    fictif BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pass_order_pkey PRIMARY KEY (reference),
    CONSTRAINT pass_order_count_check CHECK (count > 0),
    CONSTRAINT pass_order_face_value_cents_check CHECK (face_value_cents > 0),
    CONSTRAINT pass_order_expires_on_check CHECK (expires_on >= day)
);
COMMENT ON COLUMN pass_order.reference IS 'the vintage all events of its passes bear';
COMMENT ON COLUMN pass_order.funders IS '[[partner code, passes], …], summing to count';

CREATE TABLE pass_event (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    reference TEXT NOT NULL,
    order_reference TEXT NOT NULL,
    kind TEXT NOT NULL,
    day DATE NOT NULL,
    count INTEGER NOT NULL,
    commune TEXT,
    partner_code TEXT,
    site_id TEXT,
    corrects BIGINT,
    entry_id BIGINT,
    actor TEXT NOT NULL,
    recorded_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pass_event_pkey PRIMARY KEY (id),
    CONSTRAINT pass_event_kind_check CHECK (kind IN ('given', 'used', 'expired', 'reimbursed')),
    CONSTRAINT pass_event_count_check CHECK (count <> 0 AND (count > 0) = (corrects IS NULL)),
    CONSTRAINT pass_event_given_check CHECK (kind <> 'given' OR commune IS NOT NULL),
    CONSTRAINT pass_event_site_check CHECK (kind NOT IN ('used', 'reimbursed') OR site_id IS NOT NULL),
    UNIQUE (reference),
    CONSTRAINT pass_event_order_reference_fkey FOREIGN KEY(order_reference) REFERENCES pass_order (reference),
    CONSTRAINT pass_event_partner_code_fkey FOREIGN KEY(partner_code) REFERENCES partner (code),
    CONSTRAINT pass_event_corrects_fkey FOREIGN KEY(corrects) REFERENCES pass_event (id),
    CONSTRAINT pass_event_entry_id_fkey FOREIGN KEY(entry_id) REFERENCES ledger_entry (id)
);
CREATE INDEX pass_event_corrects_idx ON pass_event (corrects);
CREATE INDEX pass_event_order_reference_commune_idx ON pass_event (order_reference, commune);
COMMENT ON COLUMN pass_event.count IS 'passes; negative in the correction of an earlier event';
COMMENT ON COLUMN pass_event.commune IS 'given: of the inhabitants; used: of those who used them, when told';
COMMENT ON COLUMN pass_event.partner_code IS 'given: the prescriber';
COMMENT ON COLUMN pass_event.site_id IS 'used and reimbursed: the accepting site';
COMMENT ON COLUMN pass_event.corrects IS 'the event some of whose passes did not happen';
COMMENT ON COLUMN pass_event.entry_id IS 'reimbursed: the payment in the ledger';

CREATE TABLE pass_total (
    order_reference TEXT NOT NULL,
    ordered BIGINT DEFAULT '0' NOT NULL,
    given BIGINT DEFAULT '0' NOT NULL,
    used BIGINT DEFAULT '0' NOT NULL,
    expired BIGINT DEFAULT '0' NOT NULL,
    reimbursed BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pass_total_pkey PRIMARY KEY (order_reference),
    CONSTRAINT pass_total_passes_check CHECK (given <= ordered AND used + expired <= given AND reimbursed <= used AND least(used, expired, reimbursed) >= 0),
    CONSTRAINT pass_total_order_reference_fkey FOREIGN KEY(order_reference) REFERENCES pass_order (reference) ON DELETE CASCADE
);

CREATE TABLE pass_day (
    order_reference TEXT NOT NULL,
    day DATE NOT NULL,
    given BIGINT DEFAULT '0' NOT NULL,
    used BIGINT DEFAULT '0' NOT NULL,
    expired BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pass_day_pkey PRIMARY KEY (order_reference, day),
    CONSTRAINT pass_day_order_reference_fkey FOREIGN KEY(order_reference) REFERENCES pass_order (reference)
);

CREATE TABLE pass_site (
    order_reference TEXT NOT NULL,
    site_id TEXT NOT NULL,
    year INTEGER NOT NULL,
    used BIGINT DEFAULT '0' NOT NULL,
    reimbursed BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pass_site_pkey PRIMARY KEY (order_reference, site_id, year),
    CONSTRAINT pass_site_order_reference_fkey FOREIGN KEY(order_reference) REFERENCES pass_order (reference)
);

CREATE TABLE pass_commune (
    order_reference TEXT NOT NULL,
    commune TEXT NOT NULL,
    year INTEGER NOT NULL,
    given BIGINT DEFAULT '0' NOT NULL,
    used BIGINT DEFAULT '0' NOT NULL,
    expired BIGINT DEFAULT '0' NOT NULL,
    delays INTEGER[] DEFAULT '{}' NOT NULL,
    delayed INTEGER[] DEFAULT '{}' NOT NULL,
    CONSTRAINT pass_commune_pkey PRIMARY KEY (order_reference, commune, year),
    CONSTRAINT pass_commune_delays_check CHECK (cardinality(delays) = cardinality(delayed)),
    CONSTRAINT pass_commune_order_reference_fkey FOREIGN KEY(order_reference) REFERENCES pass_order (reference)
);
COMMENT ON COLUMN pass_commune.commune IS 'of the inhabitants; empty: not told';
COMMENT ON COLUMN pass_commune.delays IS 'days from gift to use';
COMMENT ON COLUMN pass_commune.delayed IS 'passes of each delay';

CREATE TABLE action (
    reference TEXT NOT NULL,
    kind TEXT NOT NULL,
    day DATE NOT NULL,
    until DATE,
    title TEXT NOT NULL,
    commune TEXT NOT NULL,
    partner_code TEXT,
    site_id TEXT,
    amount_cents BIGINT DEFAULT '0' NOT NULL,
    measures JSONB NOT NULL,
    fictif BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT action_pkey PRIMARY KEY (reference),
    CONSTRAINT action_amount_cents_check CHECK (amount_cents >= 0),
    CONSTRAINT action_until_check CHECK (until IS NULL OR until >= day),
    CONSTRAINT action_partner_code_fkey FOREIGN KEY(partner_code) REFERENCES partner (code)
);
CREATE INDEX action_commune_idx ON action (commune);
CREATE INDEX action_kind_day_idx ON action (kind, day);
COMMENT ON COLUMN action.until IS 'last day, when it lasts';
COMMENT ON COLUMN action.measures IS 'by name, as the kind declares them';

CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before JSONB,
    after JSONB,
    CONSTRAINT audit_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_subject_id_idx ON audit (subject, id);
COMMENT ON COLUMN audit.actor IS 'name of a token, or of whoever ran a command';
COMMENT ON COLUMN audit.subject IS 'table and key';

CREATE TABLE site_report (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    received_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    site_id TEXT NOT NULL,
    site_name TEXT NOT NULL,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    email TEXT NOT NULL,
    closed_at timestamptz,
    outcome TEXT DEFAULT '' NOT NULL,
    CONSTRAINT site_report_pkey PRIMARY KEY (id),
    CONSTRAINT site_report_subject_check CHECK (subject IN ('telephone', 'horaires', 'adresse', 'ferme', 'autre')),
    CONSTRAINT site_report_message_check CHECK (char_length(message) <= 1000),
    CONSTRAINT site_report_email_check CHECK (char_length(email) <= 254),
    CONSTRAINT site_report_erased_check CHECK (closed_at IS NULL OR email = '')
);
CREATE INDEX site_report_closed_at_idx ON site_report (closed_at);
COMMENT ON COLUMN site_report.site_name IS 'as it was shown to the reader';
COMMENT ON COLUMN site_report.email IS 'for an answer; erased when closed';

-- Rows that are always there.
INSERT INTO data_version (version, changed_at) VALUES (0, now());
INSERT INTO ledger_unposted VALUES (0);
INSERT INTO ledger_balance
    SELECT account, 0 FROM unnest(ARRAY['partners', 'departement', 'available', 'committed', 'paid']) AS account;
