-- Removal of the invented fund, when the first real dataset of sites arrives, and its return when that import
-- is undone. Only rows marked `fictif` and what hangs on them are ever removed, and only if nothing real
-- refers to them. The guards of these tables stand aside inside these two functions alone; both take the
-- queue of the fund and leave a line in the audit.

CREATE TABLE fictitious_archive (
    import_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    rows JSONB NOT NULL,
    CONSTRAINT fictitious_archive_pkey PRIMARY KEY (import_id, name),
    CONSTRAINT fictitious_archive_import_id_fkey FOREIGN KEY (import_id) REFERENCES import_run (id)
);
COMMENT ON TABLE fictitious_archive IS 'invented rows of the fund that the import of real sites removed, by table';

-- Invented entries of the ledger: marked so, or the payment of passes of an invented order.
CREATE FUNCTION fictitious_entries() RETURNS SETOF bigint STABLE LANGUAGE sql AS $$
    SELECT id FROM public.ledger_entry WHERE fictif
    UNION
    SELECT e.entry_id FROM public.pass_event e JOIN public.pass_order o ON o.reference = e.order_reference
    WHERE o.fictif AND e.entry_id IS NOT NULL
$$;

-- Invented rows of a table, as a condition on its rows.
CREATE FUNCTION fictitious_condition(name text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE
        WHEN name IN ('partner', 'pass_order', 'action') THEN 'fictif'
        WHEN name = 'ledger_entry' THEN 'id = ANY ($1)'
        WHEN name IN ('convention', 'partner_site')
            THEN 'partner_code IN (SELECT code FROM public.partner WHERE fictif)'
        WHEN name = 'ledger_posting' THEN 'entry_id = ANY ($1)'
        WHEN name = 'fund_rule'
            THEN 'note ILIKE ''%fictive%'' AND NOT EXISTS (SELECT FROM public.ledger_entry WHERE id <> ALL ($1))'
        ELSE 'order_reference IN (SELECT reference FROM public.pass_order WHERE fictif)'
    END
$$;

-- Tables of the fund, those that refer to others first.
CREATE FUNCTION fictitious_tables() RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
    SELECT ARRAY['pass_commune', 'pass_site', 'pass_day', 'pass_total', 'pass_event', 'pass_order', 'action',
        'fund_rule', 'ledger_posting', 'ledger_entry', 'partner_site', 'convention', 'partner']
$$;

-- Enable or disable the guards of the fund's tables; each has afterwards the state that it had before.
CREATE FUNCTION fictitious_guards(enabled boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    guard record;
BEGIN
    FOR guard IN
        SELECT c.relname, t.tgname, c.relname LIKE 'pass\_%' AS plain FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND NOT t.tgisinternal
            AND c.relname = ANY (public.fictitious_tables() || ARRAY['ledger_balance'])
    LOOP
        EXECUTE format('ALTER TABLE public.%I %s TRIGGER %I', guard.relname,
            CASE WHEN NOT enabled THEN 'DISABLE' WHEN guard.plain THEN 'ENABLE' ELSE 'ENABLE ALWAYS' END,
            guard.tgname);
    END LOOP;
END $$;

-- Balances are sums of postings, whatever was removed or brought back.
CREATE FUNCTION fictitious_balances() RETURNS void LANGUAGE sql AS $$
    UPDATE public.ledger_balance b SET amount_cents =
        coalesce((SELECT sum(p.amount_cents) FROM public.ledger_posting p WHERE p.account = b.account), 0)
$$;

-- Why the invented fund cannot be removed; null if it can.
CREATE FUNCTION fictitious_obstacle() RETURNS text STABLE LANGUAGE sql AS $$
    WITH invented AS MATERIALIZED (SELECT fictitious_entries AS id FROM public.fictitious_entries())
    SELECT CASE
        WHEN EXISTS (SELECT FROM public.fund_close) THEN 'closed'
        WHEN EXISTS (
            SELECT FROM public.ledger_entry real
            LEFT JOIN public.partner p ON p.code = real.partner_code
            WHERE real.id NOT IN (SELECT id FROM invented) AND (p.fictif OR EXISTS (
                SELECT FROM invented i
                WHERE i.id IN (real.reverses, real.commitment_id, real.contribution_id)
            ))
        ) THEN 'ledger'
        WHEN EXISTS (
            SELECT FROM public.ledger_posting p JOIN public.ledger_entry e ON e.id = p.entry_id
            WHERE e.id NOT IN (SELECT id FROM invented) AND p.account IN ('available', 'committed', 'paid')
            GROUP BY p.account HAVING sum(p.amount_cents) < 0
        ) THEN 'ledger'
        WHEN EXISTS (
            SELECT FROM public.action a JOIN public.partner p ON p.code = a.partner_code
            WHERE NOT a.fictif AND p.fictif
        ) THEN 'action'
        WHEN EXISTS (
            SELECT FROM public.pass_order o
            LEFT JOIN public.pass_event e ON e.order_reference = o.reference
            LEFT JOIN public.partner p ON p.code = e.partner_code
            WHERE NOT o.fictif AND (p.fictif OR e.entry_id IN (SELECT id FROM invented))
        ) THEN 'pass'
        WHEN EXISTS (
            SELECT FROM public.pass_order o, jsonb_array_elements(o.funders) AS funder
            JOIN public.partner p ON p.code = funder ->> 0
            WHERE NOT o.fictif AND p.fictif
        ) THEN 'pass'
    END
$$;

-- Remove the invented fund and archive it under an import. Returns null, or why nothing was removed.
CREATE FUNCTION remove_fictitious(run integer, by_whom text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text;
    removed jsonb;
    counts jsonb := '{}';
    obstacle text;
    entries bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(470006);
    obstacle := public.fictitious_obstacle();
    IF obstacle IS NOT NULL THEN
        RETURN obstacle;
    END IF;
    -- All is read before anything goes: the conditions of some tables look at others.
    entries := ARRAY(SELECT public.fictitious_entries());
    FOREACH name IN ARRAY public.fictitious_tables() LOOP
        EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(t)), ''[]'') FROM public.%I t WHERE %s', name,
            public.fictitious_condition(name)) INTO removed USING entries;
        IF removed <> '[]' THEN
            INSERT INTO public.fictitious_archive (import_id, name, rows) VALUES (run, name, removed);
            counts := counts || jsonb_build_object(name, jsonb_array_length(removed));
        END IF;
    END LOOP;
    IF counts = '{}' THEN
        RETURN NULL;
    END IF;
    PERFORM public.fictitious_guards(false);
    FOREACH name IN ARRAY public.fictitious_tables() LOOP
        IF counts ? name THEN
            EXECUTE format('DELETE FROM public.%I WHERE %s', name, public.fictitious_condition(name))
                USING entries;
        END IF;
    END LOOP;
    PERFORM public.fictitious_balances();
    PERFORM public.fictitious_guards(true);
    INSERT INTO public.audit (actor, action, subject, before)
        VALUES (by_whom, 'remove', format('fictif import %s', run), counts);
    RETURN NULL;
END $$;

-- Bring back what an import removed. Returns null, or why it stays archived.
CREATE FUNCTION restore_fictitious(run integer, by_whom text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    archived record;
    counts jsonb := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock(470006);
    IF NOT EXISTS (SELECT FROM public.fictitious_archive WHERE import_id = run) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM public.ledger_entry) OR EXISTS (SELECT FROM public.pass_order)
        OR EXISTS (SELECT FROM public.action) OR EXISTS (SELECT FROM public.partner)
        OR EXISTS (SELECT FROM public.fund_rule) OR EXISTS (SELECT FROM public.fund_close) THEN
        RETURN 'real';
    END IF;
    PERFORM public.fictitious_guards(false);
    FOR archived IN
        SELECT a.name, a.rows FROM public.fictitious_archive a
        WHERE a.import_id = run ORDER BY array_position(public.fictitious_tables(), a.name) DESC
    LOOP
        EXECUTE format('INSERT INTO public.%I OVERRIDING SYSTEM VALUE '
            'SELECT * FROM jsonb_populate_recordset(NULL::public.%I, $1)', archived.name, archived.name)
            USING archived.rows;
        counts := counts || jsonb_build_object(archived.name, jsonb_array_length(archived.rows));
    END LOOP;
    PERFORM public.fictitious_balances();
    PERFORM public.fictitious_guards(true);
    DELETE FROM public.fictitious_archive WHERE import_id = run;
    INSERT INTO public.audit (actor, action, subject, after)
        VALUES (by_whom, 'restore', format('fictif import %s', run), counts);
    RETURN NULL;
END $$;
