-- Records and sites apart. Before, a source record was the site shown; its identifier, history and
-- decisions stay.

ALTER TABLE import_run
    ADD kind TEXT DEFAULT 'import' NOT NULL,
    ADD provided TEXT[] DEFAULT '{}' NOT NULL,
    ADD refused TEXT[] DEFAULT '{}' NOT NULL,
    ADD has_content BOOLEAN DEFAULT false NOT NULL,
    ADD outside INTEGER DEFAULT 0 NOT NULL,
    ADD detail JSONB DEFAULT '{}' NOT NULL,
    ADD undone_by INTEGER,
    ADD CONSTRAINT import_run_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES import_run (id),
    ADD CONSTRAINT import_run_kind_check CHECK (kind IN ('import', 'undo', 'withdraw', 'restore')),
    DROP CONSTRAINT import_run_tally_check,
    ADD CONSTRAINT import_run_tally_check CHECK (read = accepted + rejected + outside);
COMMENT ON COLUMN import_run.provided IS 'local facts that the file has a column for';
COMMENT ON COLUMN import_run.refused IS 'keys of records that the file lists and validation rejected';
COMMENT ON COLUMN import_run.has_content IS 'import_record holds what the file listed';
COMMENT ON COLUMN import_run.outside IS 'rows beyond the territory and its margin';
COMMENT ON COLUMN import_run.detail IS 'what an operation other than an import was done to';
COMMENT ON COLUMN import_run.undone_by IS 'the operation that undid this one, unless undone itself';

CREATE TABLE dataset (
    name TEXT NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_by TEXT,
    reason TEXT DEFAULT '' NOT NULL,
    CONSTRAINT dataset_pkey PRIMARY KEY (name)
);
INSERT INTO dataset (name)
    SELECT DISTINCT name FROM (
        SELECT unnest(datasets) AS name FROM import_run UNION SELECT jeu_de_donnees FROM site
    ) AS named;

-- The site, as people see it.
ALTER TABLE site
    ADD sur_rendez_vous BOOLEAN,
    ADD fermetures TEXT[] DEFAULT '{}' NOT NULL,
    ADD remarques_horaires TEXT[] DEFAULT '{}' NOT NULL,
    ADD telephone_remarque TEXT DEFAULT '' NOT NULL,
    ADD autres_telephones TEXT[] DEFAULT '{}' NOT NULL,
    ADD rank BIGINT GENERATED ALWAYS AS IDENTITY,
    ADD origins JSONB,
    ADD conflicts JSONB DEFAULT '[]' NOT NULL,
    ADD created_at timestamptz DEFAULT now() NOT NULL,
    ADD merged_into TEXT,
    ADD CONSTRAINT site_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES site (id),
    ADD CONSTRAINT site_merged_check CHECK (merged_into IS NULL OR merged_into <> id);
ALTER TABLE site
    ALTER fermetures DROP DEFAULT, ALTER remarques_horaires DROP DEFAULT,
    ALTER telephone_remarque DROP DEFAULT, ALTER autres_telephones DROP DEFAULT;

CREATE TABLE source_record (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    key TEXT NOT NULL,
    dataset TEXT NOT NULL,
    source TEXT NOT NULL,
    local_id TEXT NOT NULL,
    "values" JSONB NOT NULL,
    site_id TEXT,
    first_site_id TEXT,
    first_import INTEGER NOT NULL,
    last_import INTEGER NOT NULL,
    retired_at timestamptz,
    CONSTRAINT source_record_pkey PRIMARY KEY (id),
    CONSTRAINT source_record_key_key UNIQUE (key),
    CONSTRAINT source_record_dataset_source_local_id_key UNIQUE (dataset, source, local_id),
    CONSTRAINT source_record_site_id_fkey FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT source_record_first_site_id_fkey FOREIGN KEY (first_site_id) REFERENCES site (id),
    CONSTRAINT source_record_first_import_fkey FOREIGN KEY (first_import) REFERENCES import_run (id),
    CONSTRAINT source_record_last_import_fkey FOREIGN KEY (last_import) REFERENCES import_run (id)
);
CREATE INDEX source_record_site_id_idx ON source_record (site_id);
COMMENT ON COLUMN source_record.key IS 'dataset--local_id@source';
COMMENT ON COLUMN source_record."values" IS 'known values by field, as of the last import';
COMMENT ON COLUMN source_record.site_id IS 'the site it describes; its last one when retired';
COMMENT ON COLUMN source_record.first_site_id IS 'the site that was created for it or that it first joined';
COMMENT ON COLUMN source_record.last_import IS 'the last that brought, changed, retired or returned it';

INSERT INTO source_record (key, dataset, source, local_id, "values", site_id, first_site_id,
                           first_import, last_import, retired_at)
    SELECT jeu_de_donnees || '--' || replace(replace(local_id, '%', '%25'), '@', '%40')
               || CASE WHEN source = '' THEN '' ELSE '@' || source END,
           jeu_de_donnees, source, local_id,
           jsonb_strip_nulls(to_jsonb(s) - ARRAY['id', 'local_id', 'geom', 'first_import', 'last_import',
               'retired_at', 'rank', 'origins', 'conflicts', 'created_at', 'merged_into']),
           id, id, first_import, last_import, retired_at
    FROM site s ORDER BY rank;
UPDATE source_record r SET "values" = (
    SELECT coalesce(jsonb_object_agg(name, value), '{}') FROM jsonb_each(r."values") AS each (name, value)
    WHERE value NOT IN ('""', '[]')
);

CREATE TABLE record_version (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    record_id BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    "values" JSONB NOT NULL,
    CONSTRAINT record_version_pkey PRIMARY KEY (id),
    CONSTRAINT record_version_record_id_sha256_key UNIQUE (record_id, sha256),
    CONSTRAINT record_version_record_id_fkey FOREIGN KEY (record_id) REFERENCES source_record (id)
);
COMMENT ON TABLE record_version IS 'what a source said of a record; never changed';

CREATE TABLE import_record (
    import_id INTEGER NOT NULL,
    record_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    CONSTRAINT import_record_pkey PRIMARY KEY (import_id, record_id),
    CONSTRAINT import_record_import_id_fkey FOREIGN KEY (import_id) REFERENCES import_run (id),
    CONSTRAINT import_record_record_id_fkey FOREIGN KEY (record_id) REFERENCES source_record (id),
    CONSTRAINT import_record_version_id_fkey FOREIGN KEY (version_id) REFERENCES record_version (id)
);
COMMENT ON TABLE import_record IS 'the records that an import listed, each in its version';

-- What the last import of each dataset left in service counts as its content, so that later imports can
-- be undone.
INSERT INTO record_version (record_id, sha256, "values")
    SELECT id, sha256(convert_to("values"::text, 'UTF8')), "values" FROM source_record WHERE retired_at IS NULL;
WITH latest AS (
    SELECT name, max(id) AS import_id FROM import_run, unnest(datasets) AS name GROUP BY name
)
INSERT INTO import_record (import_id, record_id, version_id)
    SELECT coalesce(l.import_id, r.last_import), r.id, v.id
    FROM source_record r JOIN record_version v ON v.record_id = r.id LEFT JOIN latest l ON l.name = r.dataset;
UPDATE import_run SET has_content = true WHERE id IN (SELECT import_id FROM import_record);

ALTER TABLE site DROP COLUMN local_id, DROP COLUMN first_import, DROP COLUMN last_import;

ALTER TABLE site_change RENAME TO record_change;
ALTER TABLE record_change RENAME COLUMN site_id TO record_key;
ALTER TABLE record_change RENAME CONSTRAINT site_change_pkey TO record_change_pkey;
ALTER TABLE record_change RENAME CONSTRAINT site_change_kind_check TO record_change_kind_check;
ALTER TABLE record_change RENAME CONSTRAINT site_change_field_check TO record_change_field_check;
ALTER TABLE record_change RENAME CONSTRAINT site_change_import_id_fkey TO record_change_import_id_fkey;
ALTER INDEX site_change_import_id_idx RENAME TO record_change_import_id_idx;
ALTER INDEX site_change_site_id_id_idx RENAME TO record_change_record_key_id_idx;
ALTER SEQUENCE site_change_id_seq RENAME TO record_change_id_seq;
UPDATE record_change c SET record_key = r.key
    FROM source_record r WHERE r.first_site_id = c.record_key AND r.key <> c.record_key;

ALTER TABLE duplicate RENAME TO record_pair;
ALTER TABLE record_pair RENAME CONSTRAINT duplicate_pkey TO record_pair_pkey;
ALTER INDEX duplicate_b_idx RENAME TO record_pair_b_idx;
ALTER TABLE record_pair
    DROP CONSTRAINT duplicate_ordered_check,
    DROP CONSTRAINT duplicate_hidden_check,
    ADD verdict TEXT DEFAULT 'question' NOT NULL,
    ADD basis JSONB,
    ADD CONSTRAINT record_pair_verdict_check CHECK (verdict IN ('same', 'question'));
UPDATE record_pair p SET a = r.key FROM source_record r WHERE r.first_site_id = p.a AND r.key <> p.a;
UPDATE record_pair p SET b = r.key FROM source_record r WHERE r.first_site_id = p.b AND r.key <> p.b;
UPDATE record_pair SET a = b, b = a WHERE a > b COLLATE "C";
ALTER TABLE record_pair ADD CONSTRAINT record_pair_ordered_check CHECK (a < b COLLATE "C");
COMMENT ON TABLE record_pair IS 'records that may be one place, by key, and what was decided';
COMMENT ON COLUMN record_pair.same IS 'the decision; null: none';
COMMENT ON COLUMN record_pair.verdict IS 'same: merged unless decided otherwise; question: waits for a decision';
COMMENT ON COLUMN record_pair.basis IS 'name, commune and point of both records when it was decided';

CREATE TABLE correction (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    site_id TEXT NOT NULL,
    field TEXT NOT NULL,
    value JSONB,
    author TEXT NOT NULL,
    day DATE NOT NULL,
    reason TEXT NOT NULL,
    until DATE,
    source_value JSONB,
    created_at timestamptz DEFAULT now() NOT NULL,
    ended_at timestamptz,
    ended_by TEXT,
    CONSTRAINT correction_pkey PRIMARY KEY (id),
    CONSTRAINT correction_site_id_fkey FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT correction_until_check CHECK (until IS NULL OR until >= day)
);
CREATE INDEX correction_site_id_idx ON correction (site_id);
COMMENT ON TABLE correction IS 'values set over the sources by those who keep the list';
COMMENT ON COLUMN correction.value IS 'null: not known';
COMMENT ON COLUMN correction.source_value IS 'what the sources said when it was made';

CREATE TABLE site_event (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    site_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    author TEXT,
    import_id INTEGER,
    detail JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT site_event_pkey PRIMARY KEY (id),
    CONSTRAINT site_event_site_id_fkey FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT site_event_import_id_fkey FOREIGN KEY (import_id) REFERENCES import_run (id)
);
CREATE INDEX site_event_site_id_id_idx ON site_event (site_id, id);
COMMENT ON TABLE site_event IS 'what became of sites: created, merged, split, decided, corrected, closed, retired';
