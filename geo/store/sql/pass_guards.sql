-- Guards of the Pass Numérique in their present form: never more used than given than ordered, nothing rewritten.
-- Run by migrations; safe to run again after a change. Every insertion into pass_event, bulk COPY included, is
-- checked and summed once per statement. What each refusal means: docs/passes.md.

-- Refuses with SQLSTATE PASS1; the detail is JSON that geo.store.passes words in French.
CREATE OR REPLACE FUNCTION pass_refuse(rule text, said text, facts jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'PASS1', MESSAGE = said, DETAIL = (facts || jsonb_build_object('rule', rule))::text;
END $$;

-- Orders and events are only ever added.
CREATE OR REPLACE FUNCTION pass_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pass_refuse(
        'append-only',
        format('%s is append-only: %s is refused', tg_table_name, lower(tg_op)),
        jsonb_build_object('table', tg_table_name, 'operation', tg_op)
    );
    RETURN NULL;
END $$;

-- The sums are changed by the triggers of pass_order and pass_event, and by nothing else.
CREATE OR REPLACE FUNCTION pass_summed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        PERFORM pass_refuse(
            'summed',
            format('%s sums pass_event, and is written by its triggers only', tg_table_name),
            jsonb_build_object('table', tg_table_name, 'operation', tg_op)
        );
    END IF;
    RETURN NULL;
END $$;

-- After each INSERT into pass_order: its passes are all funded, by known partners.
CREATE OR REPLACE FUNCTION pass_order_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT o.reference, o.count, funded.passes INTO wrong
    FROM added o, LATERAL (
        SELECT
            coalesce(sum((f ->> 1)::bigint), 0) AS passes,
            coalesce(bool_and((f ->> 1)::bigint > 0 AND p.code IS NOT NULL), false) AS sound
        FROM jsonb_array_elements(o.funders) f LEFT JOIN partner p ON p.code = f ->> 0
    ) funded
    WHERE funded.passes <> o.count OR NOT funded.sound
    LIMIT 1;
    IF FOUND THEN
        PERFORM pass_refuse(
            'funders',
            format('passes of order %s funded by known partners: %s, ordered: %s',
                   wrong.reference, wrong.passes, wrong.count),
            to_jsonb(wrong)
        );
    END IF;
    INSERT INTO pass_total (order_reference, ordered) SELECT reference, count FROM added;
    RETURN NULL;
END $$;

-- After each INSERT into pass_event: days, corrections, then each sum and its limit, then delays.
CREATE OR REPLACE FUNCTION pass_event_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    -- One writer at a time for each vintage, in the order of references, so that writers of one
    -- statement each never wait for each other in a ring.
    PERFORM FROM pass_total
    WHERE order_reference IN (SELECT order_reference FROM added)
    ORDER BY order_reference FOR UPDATE;

    SELECT e.reference, e.kind, e.day, o.reference AS "order", o.day AS ordered_on, o.expires_on
    INTO wrong
    FROM added e JOIN pass_order o ON o.reference = e.order_reference
    WHERE e.day < o.day
        OR (e.kind IN ('given', 'used') AND e.day > o.expires_on)
        OR (e.kind = 'expired' AND e.day <= o.expires_on)
    ORDER BY e.id LIMIT 1;
    IF FOUND THEN
        PERFORM pass_refuse('day', format('event %s: %s on %s, order %s is of %s to %s', wrong.reference,
            wrong.kind, wrong.day, wrong."order", wrong.ordered_on, wrong.expires_on), to_jsonb(wrong));
    END IF;

    IF EXISTS (SELECT FROM added WHERE corrects IS NOT NULL) THEN
        SELECT c.reference, e.reference AS corrected, e.count, -s.taken AS taken INTO wrong
        FROM added c
        JOIN pass_event e ON e.id = c.corrects
        CROSS JOIN LATERAL (SELECT sum(count) AS taken FROM pass_event WHERE corrects = e.id) s
        WHERE e.corrects IS NOT NULL
            OR e.count + s.taken < 0
            OR (c.order_reference, c.kind, c.day, c.commune, c.partner_code, c.site_id)
                IS DISTINCT FROM (e.order_reference, e.kind, e.day, e.commune, e.partner_code, e.site_id)
        ORDER BY c.id LIMIT 1;
        IF FOUND THEN
            PERFORM pass_refuse('correction', format('event %s can''t correct %s (%s passes, %s corrected)',
                wrong.reference, wrong.corrected, wrong.count, wrong.taken), to_jsonb(wrong));
        END IF;
    END IF;

    SELECT t.order_reference AS "order", t.ordered, t.given, s.given AS asked INTO wrong
    FROM pass_total t JOIN (
        SELECT order_reference, sum(count) AS given FROM added WHERE kind = 'given' GROUP BY 1
    ) s USING (order_reference)
    WHERE t.given + s.given > t.ordered
    ORDER BY 1 LIMIT 1;
    IF FOUND THEN
        PERFORM pass_refuse('ordered', format('order %s: %s passes, %s given, %s more asked',
            wrong."order", wrong.ordered, wrong.given, wrong.asked), to_jsonb(wrong));
    END IF;

    INSERT INTO pass_day AS d
    SELECT
        order_reference,
        day,
        coalesce(sum(count) FILTER (WHERE kind = 'given'), 0),
        coalesce(sum(count) FILTER (WHERE kind = 'used'), 0),
        coalesce(sum(count) FILTER (WHERE kind = 'expired'), 0)
    FROM added WHERE kind <> 'reimbursed' GROUP BY 1, 2
    ON CONFLICT (order_reference, day) DO UPDATE
    SET given = d.given + excluded.given,
        used = d.used + excluded.used,
        expired = d.expired + excluded.expired;

    SELECT
        r.order_reference AS "order", r.day, r.given, r.gone, t.given - t.used - t.expired AS remaining,
        (SELECT coalesce(sum(count), 0) FROM added
         WHERE order_reference = r.order_reference AND kind IN ('used', 'expired')) AS asked
    INTO wrong
    FROM (
        SELECT order_reference, day, sum(given) OVER w AS given, sum(used + expired) OVER w AS gone
        FROM pass_day WHERE order_reference IN (SELECT order_reference FROM added)
        WINDOW w AS (PARTITION BY order_reference ORDER BY day)
    ) r JOIN pass_total t USING (order_reference)
    WHERE r.gone > r.given
    ORDER BY r.order_reference, r.day LIMIT 1;
    IF FOUND THEN
        PERFORM pass_refuse('given', format('order %s: on %s, %s given, %s used or expired',
            wrong."order", wrong.day, wrong.given, wrong.gone), to_jsonb(wrong));
    END IF;

    INSERT INTO pass_site AS d
    SELECT
        order_reference,
        site_id,
        extract(year FROM day)::integer,
        coalesce(sum(count) FILTER (WHERE kind = 'used'), 0),
        coalesce(sum(count) FILTER (WHERE kind = 'reimbursed'), 0)
    FROM added WHERE kind IN ('used', 'reimbursed') GROUP BY 1, 2, 3
    ON CONFLICT (order_reference, site_id, year) DO UPDATE
    SET used = d.used + excluded.used, reimbursed = d.reimbursed + excluded.reimbursed;

    SELECT
        s.order_reference AS "order", s.site_id AS site, sum(s.used) AS used,
        sum(s.reimbursed) AS reimbursed
    INTO wrong
    FROM pass_site s
    WHERE (s.order_reference, s.site_id) IN (
        SELECT order_reference, site_id FROM added WHERE kind IN ('used', 'reimbursed')
    )
    GROUP BY 1, 2 HAVING sum(s.reimbursed) > sum(s.used)
    ORDER BY 1, 2 LIMIT 1;
    IF FOUND THEN
        PERFORM pass_refuse('used', format('order %s, site %s: %s used, %s reimbursed',
            wrong."order", wrong.site, wrong.used, wrong.reimbursed), to_jsonb(wrong));
    END IF;

    UPDATE pass_total t
    SET given = t.given + s.given, used = t.used + s.used,
        expired = t.expired + s.expired, reimbursed = t.reimbursed + s.reimbursed
    FROM (
        SELECT
            order_reference,
            coalesce(sum(count) FILTER (WHERE kind = 'given'), 0) AS given,
            coalesce(sum(count) FILTER (WHERE kind = 'used'), 0) AS used,
            coalesce(sum(count) FILTER (WHERE kind = 'expired'), 0) AS expired,
            coalesce(sum(count) FILTER (WHERE kind = 'reimbursed'), 0) AS reimbursed
        FROM added GROUP BY 1
    ) s WHERE s.order_reference = t.order_reference;

    INSERT INTO pass_commune AS d (order_reference, commune, year, given, used, expired)
    SELECT
        order_reference,
        coalesce(commune, ''),
        extract(year FROM day)::integer,
        coalesce(sum(count) FILTER (WHERE kind = 'given'), 0),
        coalesce(sum(count) FILTER (WHERE kind = 'used'), 0),
        coalesce(sum(count) FILTER (WHERE kind = 'expired'), 0)
    FROM added WHERE kind <> 'reimbursed' GROUP BY 1, 2, 3
    ON CONFLICT (order_reference, commune, year) DO UPDATE
    SET given = d.given + excluded.given,
        used = d.used + excluded.used,
        expired = d.expired + excluded.expired;

    UPDATE pass_commune SET delays = '{}', delayed = '{}'
    WHERE delays <> '{}' AND (order_reference, commune) IN (
        SELECT order_reference, commune FROM added WHERE kind IN ('given', 'used')
    );
    -- The k-th pass used is the k-th given: each stretch between two marks of either running count
    -- is of one gift and one use. Planned anew each time: one event and a million are not alike.
    EXECUTE $delays$
        WITH touched AS (
            SELECT DISTINCT order_reference, commune FROM added
            WHERE kind IN ('given', 'used') AND commune IS NOT NULL
        ),
        days AS (
            SELECT e.order_reference, e.commune, e.kind, e.day, sum(e.count) AS passes
            FROM pass_event e JOIN touched USING (order_reference, commune)
            WHERE e.kind IN ('given', 'used')
            GROUP BY 1, 2, 3, 4
        ),
        marks AS (
            SELECT order_reference, commune, kind, day, sum(passes) OVER (
                PARTITION BY order_reference, commune, kind ORDER BY day
            ) AS mark
            FROM days WHERE passes > 0
        ),
        stretches AS (
            SELECT
                order_reference,
                commune,
                mark - lag(mark, 1, 0) OVER (PARTITION BY order_reference, commune ORDER BY mark) AS passes,
                min(day) FILTER (WHERE kind = 'given') OVER down AS given_on,
                min(day) FILTER (WHERE kind = 'used') OVER down AS used_on
            FROM marks
            WINDOW down AS (PARTITION BY order_reference, commune ORDER BY mark DESC)
        ),
        waits AS (
            SELECT
                order_reference, commune, extract(year FROM used_on)::integer AS year,
                used_on - given_on AS delay, sum(passes)::integer AS passes
            FROM stretches WHERE passes > 0 AND used_on >= given_on
            GROUP BY 1, 2, 3, 4
        ),
        told AS MATERIALIZED (
            SELECT
                order_reference, commune, year,
                array_agg(delay ORDER BY delay) AS delays, array_agg(passes ORDER BY delay) AS delayed
            FROM waits GROUP BY 1, 2, 3
        )
        UPDATE pass_commune c SET delays = told.delays, delayed = told.delayed
        FROM told
        WHERE (c.order_reference, c.commune, c.year) = (told.order_reference, told.commune, told.year)
    $delays$;
    RETURN NULL;
END $$;


-- Triggers.

DROP TRIGGER IF EXISTS append_only ON pass_event;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pass_event
    FOR EACH STATEMENT EXECUTE FUNCTION pass_append_only();

-- An order of which no pass was given may be withdrawn; the events of any other refer to it.
DROP TRIGGER IF EXISTS append_only ON pass_order;
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON pass_order
    FOR EACH STATEMENT EXECUTE FUNCTION pass_append_only();

DROP TRIGGER IF EXISTS summed ON pass_total;
CREATE TRIGGER summed BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pass_total
    FOR EACH STATEMENT EXECUTE FUNCTION pass_summed();

DROP TRIGGER IF EXISTS summed ON pass_day;
CREATE TRIGGER summed BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pass_day
    FOR EACH STATEMENT EXECUTE FUNCTION pass_summed();

DROP TRIGGER IF EXISTS summed ON pass_site;
CREATE TRIGGER summed BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pass_site
    FOR EACH STATEMENT EXECUTE FUNCTION pass_summed();

DROP TRIGGER IF EXISTS summed ON pass_commune;
CREATE TRIGGER summed BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pass_commune
    FOR EACH STATEMENT EXECUTE FUNCTION pass_summed();

DROP TRIGGER IF EXISTS added ON pass_order;
CREATE TRIGGER added AFTER INSERT ON pass_order REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION pass_order_added();

DROP TRIGGER IF EXISTS added ON pass_event;
CREATE TRIGGER added AFTER INSERT ON pass_event REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION pass_event_added();
