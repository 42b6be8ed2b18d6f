-- Guards of the ledger in their present form: append-only, balanced, never overdrawn, closed periods stay closed.
-- Run by migrations; safe to run again after a change. What each guard is for: docs/fund.md.
-- Table names are qualified and search_path is set, so that no search_path leads a trigger astray.

-- Rows of the ledger, of closings and of the audit are only ever added.
CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: rows are only ever added to it', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'An entry is corrected by its reversal.';
END $$;

-- Writers of the fund queue for one advisory lock (geo.store.ledger.LOCK) until their transaction ends.
CREATE OR REPLACE FUNCTION public.ledger_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Every later statement of this transaction must see what those before it in the queue committed.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the fund is written in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(470006);
    RETURN NULL;
END $$;

-- After each INSERT into ledger_entry: open period, own transaction, known partner; counts entries
-- that still lack postings. (Instead of foreign keys, which would look each row up by itself.)
CREATE OR REPLACE FUNCTION public.ledger_entered() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    closed date := (SELECT max(until) FROM public.fund_close);
    told record;
    wrong text;
BEGIN
    SELECT
        count(*) AS entries,
        min(reference) FILTER (WHERE day <= closed) AS late,
        min(reference) FILTER (
            WHERE tx <> (pg_current_xact_id()::text)::bigint OR posted_at < transaction_timestamp()
        ) AS elsewhere
    INTO told FROM added;
    IF told.late IS NOT NULL THEN
        RAISE EXCEPTION 'entry % lies in a period closed until %', told.late, closed
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF told.elsewhere IS NOT NULL THEN
        RAISE EXCEPTION 'entry % claims another transaction or moment than its own', told.elsewhere
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT t.partner_code INTO wrong
    FROM (SELECT DISTINCT partner_code FROM added WHERE partner_code IS NOT NULL) t
    LEFT JOIN public.partner p ON p.code = t.partner_code
    WHERE p.code IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'no partner bears the code %', wrong
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_entry_partner_code_fkey';
    END IF;
    UPDATE public.ledger_unposted SET entries = entries + told.entries;
    RETURN NULL;
END $$;

-- After each INSERT into ledger_posting: balanced entries, accounts of the kind, exact reversals, matches
-- within what is due, commitments never below 0. Then updates the balance of each account.
CREATE OR REPLACE FUNCTION public.ledger_posted() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_nestloop = on SET enable_seqscan = on SET enable_bitmapscan = on
SET jit = off SET work_mem = '64MB' AS $$
DECLARE
    told record;
    wrong bigint;
BEGIN
    -- Few entries are looked up by their indices, many are joined whole: nothing tells the planner how
    -- many entries rows of a statement are of, nor how tables grew in this transaction. What is set here
    -- ends with the function, which plans its questions anew each time.
    IF (SELECT count(*) FROM added) < 1000 THEN
        PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
    ELSE
        PERFORM set_config('enable_nestloop', 'off', true);
    END IF;

    -- An entry's postings come whole, in one statement of the transaction that entered it. Each kind
    -- moves money between its two accounts, and leans on what is of the right kind and not later.
    -- No posting comes after them: the key of the table keeps a second one off either account.
    EXECUTE $q$
        SELECT
            count(*) AS entries,
            min(a.entry_id) FILTER (WHERE e.id IS NULL) AS unknown,
            min(a.entry_id) FILTER (
                WHERE e.tx <> (pg_current_xact_id()::text)::bigint OR e.posted_at < transaction_timestamp()
            ) AS old,
            min(a.entry_id) FILTER (WHERE a.n <> 2 OR a.least + a.most <> 0) AS unbalanced,
            min(a.entry_id) FILTER (
                WHERE e.kind <> 'reversal' AND (e.kind, a.source, a.destination) NOT IN (
                    ('contribution', 'partners', 'available'), ('match', 'departement', 'available'),
                    ('commitment', 'available', 'committed'), ('release', 'committed', 'available'),
                    ('payment', 'committed', 'paid'))
            ) AS misplaced,
            min(a.entry_id) FILTER (
                WHERE e.kind IN ('match', 'release', 'payment') AND base.id IS NULL
            ) AS adrift,
            min(a.entry_id) FILTER (
                WHERE e.kind IN ('match', 'release', 'payment') AND (base.day > e.day OR base.kind
                    <> CASE e.kind WHEN 'match' THEN 'contribution' ELSE 'commitment' END)
            ) AS early,
            coalesce(bool_or(e.reverses IS NOT NULL), false) AS reversing,
            coalesce(bool_or(e.contribution_id IS NOT NULL), false) AS matching,
            coalesce(bool_or(e.commitment_id IS NOT NULL), false) AS drawing
        FROM (
            SELECT
                entry_id, count(*) AS n, min(amount_cents) AS least, max(amount_cents) AS most,
                min(account) FILTER (WHERE amount_cents < 0) AS source,
                min(account) FILTER (WHERE amount_cents > 0) AS destination
            FROM added GROUP BY entry_id
        ) a
        LEFT JOIN public.ledger_entry e ON e.id = a.entry_id
        LEFT JOIN public.ledger_entry base ON base.id = coalesce(e.commitment_id, e.contribution_id)
    $q$ INTO told;
    IF told.unknown IS NOT NULL THEN
        RAISE EXCEPTION 'there is no entry number %', told.unknown
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_posting_entry_id_fkey';
    END IF;
    IF told.old IS NOT NULL THEN
        RAISE EXCEPTION 'entry number % is posted already', told.old
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF told.unbalanced IS NULL AND told.misplaced IS NOT NULL THEN
        SELECT told.misplaced INTO told.unbalanced
        WHERE (SELECT count(*) FROM public.ledger_posting WHERE entry_id = told.misplaced) <> 2;
    END IF;
    IF told.unbalanced IS NOT NULL THEN
        RAISE EXCEPTION 'postings of entry number % are not two that sum to 0', told.unbalanced
            USING ERRCODE = 'integrity_constraint_violation',
                HINT = 'Insert all postings of an entry in one statement.';
    END IF;
    IF told.misplaced IS NOT NULL THEN
        RAISE EXCEPTION 'entry number % moves money between accounts that are not those of its kind',
            told.misplaced USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF told.adrift IS NOT NULL THEN
        RAISE EXCEPTION 'entry number % leans on an entry that is not there', told.adrift
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF told.early IS NOT NULL THEN
        RAISE EXCEPTION 'entry number % leans on an entry of another kind, or a later one', told.early
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    -- A reversal is the exact mirror of an entry that is none.
    IF told.reversing THEN
        EXECUTE $q$
            SELECT e.id
            FROM added a
            JOIN public.ledger_entry e ON e.id = a.entry_id
            LEFT JOIN public.ledger_entry o ON o.id = e.reverses
            LEFT JOIN public.ledger_posting p ON p.entry_id = o.id AND p.account = a.account
            WHERE e.reverses IS NOT NULL AND (
                p.amount_cents IS DISTINCT FROM -a.amount_cents OR o.kind = 'reversal' OR o.day > e.day
                OR (e.partner_code, e.level, e.action_line, e.commune, e.site_id, e.fictif)
                    IS DISTINCT FROM
                    (o.partner_code, o.level, o.action_line, o.commune, o.site_id, o.fictif)
                OR e.due_cents IS DISTINCT FROM -o.due_cents
                OR e.commitment_id IS DISTINCT FROM
                    coalesce(o.commitment_id, CASE o.kind WHEN 'commitment' THEN o.id END)
                OR e.contribution_id IS DISTINCT FROM
                    coalesce(o.contribution_id, CASE o.kind WHEN 'contribution' THEN o.id END)
                OR (o.kind = 'match' AND NOT EXISTS (
                    SELECT FROM public.ledger_entry r WHERE r.reverses = o.contribution_id))) LIMIT 1
        $q$ INTO wrong;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'entry number % is not the mirror of the one it reverses', wrong
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;

    -- A contribution's match stays within what the rate adds; reversed, it has none.
    IF told.matching THEN
        EXECUTE $q$
            SELECT c.id
            FROM (
                SELECT m.contribution_id AS id, -sum(p.amount_cents) AS cents
                FROM (
                    SELECT DISTINCT e.contribution_id AS id
                    FROM (SELECT DISTINCT entry_id AS id FROM added) a
                    JOIN public.ledger_entry e USING (id) WHERE e.contribution_id IS NOT NULL
                ) t
                JOIN public.ledger_entry m ON m.contribution_id = t.id
                JOIN public.ledger_posting p ON p.entry_id = m.id AND p.account = 'departement'
                GROUP BY m.contribution_id
            ) matched
            JOIN public.ledger_entry c USING (id)
            LEFT JOIN public.ledger_entry r ON r.reverses = c.id
            WHERE matched.cents > CASE WHEN r.id IS NULL THEN c.due_cents ELSE 0 END LIMIT 1
        $q$ INTO wrong;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'contribution number % would be matched with more than it is due', wrong
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;

    -- No commitment gives more than it holds.
    IF told.drawing THEN
        EXECUTE $q$
            WITH t AS MATERIALIZED (
                SELECT DISTINCT e.commitment_id AS id
                FROM (SELECT DISTINCT entry_id AS id FROM added) a
                JOIN public.ledger_entry e USING (id) WHERE e.commitment_id IS NOT NULL
            )
            SELECT of.id
            FROM (
                SELECT id, id AS entry_id FROM t
                UNION ALL
                SELECT t.id, e.id FROM t JOIN public.ledger_entry e ON e.commitment_id = t.id
            ) of
            JOIN public.ledger_posting p ON p.entry_id = of.entry_id AND p.account = 'committed'
            GROUP BY of.id HAVING sum(p.amount_cents) < 0 LIMIT 1
        $q$ INTO wrong;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'commitment number % does not hold that much', wrong
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;

    -- Its CHECK refuses what the fund does not have.
    UPDATE public.ledger_balance b SET amount_cents = b.amount_cents + s.total
    FROM (SELECT account, sum(amount_cents) AS total FROM added GROUP BY account) s
    WHERE s.account = b.account;
    UPDATE public.ledger_unposted SET entries = entries - told.entries;
    RETURN NULL;
END $$;

-- At the commit: every entry of the transaction has its postings.
CREATE OR REPLACE FUNCTION public.ledger_complete() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text;
BEGIN
    IF (SELECT sum(entries) FROM public.ledger_unposted) IS DISTINCT FROM 0 THEN
        SELECT reference INTO wrong FROM public.ledger_entry e
        WHERE tx = (pg_current_xact_id()::text)::bigint
            AND NOT EXISTS (SELECT FROM public.ledger_posting p WHERE p.entry_id = e.id) LIMIT 1;
        RAISE EXCEPTION 'entry % has no postings', wrong USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

-- ledger_balance and ledger_unposted are changed by the triggers above, and by nothing else.
CREATE OR REPLACE FUNCTION public.ledger_balance_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Below the triggers of entries and postings, and nowhere else.
    IF pg_trigger_depth() < 2 OR TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION '% of % is refused: entries and postings alone change it', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

-- A period is closed until a past day, later than the previous closing.
CREATE OR REPLACE FUNCTION public.fund_closing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.until > current_date OR NEW.until <= (SELECT max(until) FROM public.fund_close) THEN
        RAISE EXCEPTION 'a period is closed until a day past, later than the one before'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- A match rule that already matched a contribution, or in a closed period, does not change.
CREATE OR REPLACE FUNCTION public.fund_rule_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    since date := least(
        CASE WHEN TG_OP <> 'INSERT' THEN OLD.day END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.day END);
BEGIN
    IF since <= (SELECT max(until) FROM public.fund_close) OR EXISTS (
        SELECT FROM public.ledger_entry e WHERE e.kind = 'contribution' AND e.day >= since
            AND NOT EXISTS (SELECT FROM public.ledger_entry r WHERE r.reverses = e.id)
    ) THEN
        RAISE EXCEPTION 'contributions from % on were matched by the rules as they are', since
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- A partner that entries name is neither removed nor renamed. (Instead of a foreign key.)
CREATE OR REPLACE FUNCTION public.ledger_partner_kept() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.code = OLD.code THEN
        RETURN NEW;
    END IF;
    -- In the queue of those who write the ledger, and seeing what those before wrote.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the fund is written in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(470006);
    IF EXISTS (SELECT FROM public.ledger_entry WHERE partner_code = OLD.code) THEN
        RAISE EXCEPTION 'entries of the ledger bear the partner %', OLD.code
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_entry_partner_code_fkey';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;


-- Triggers. ENABLE ALWAYS: also where session_replication_role is 'replica', which silences ordinary ones.

DROP TRIGGER IF EXISTS ledger_entry_queue ON public.ledger_entry;
CREATE TRIGGER ledger_entry_queue BEFORE INSERT ON public.ledger_entry
    EXECUTE FUNCTION public.ledger_queue();
ALTER TABLE public.ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_queue;

DROP TRIGGER IF EXISTS ledger_entry_entered ON public.ledger_entry;
CREATE TRIGGER ledger_entry_entered AFTER INSERT ON public.ledger_entry
    REFERENCING NEW TABLE AS added EXECUTE FUNCTION public.ledger_entered();
ALTER TABLE public.ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_entered;

DROP TRIGGER IF EXISTS ledger_entry_append_only ON public.ledger_entry;
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.ledger_entry
    EXECUTE FUNCTION public.refuse_change();
ALTER TABLE public.ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_append_only;

DROP TRIGGER IF EXISTS ledger_posting_queue ON public.ledger_posting;
CREATE TRIGGER ledger_posting_queue BEFORE INSERT ON public.ledger_posting
    EXECUTE FUNCTION public.ledger_queue();
ALTER TABLE public.ledger_posting ENABLE ALWAYS TRIGGER ledger_posting_queue;

DROP TRIGGER IF EXISTS ledger_posting_posted ON public.ledger_posting;
CREATE TRIGGER ledger_posting_posted AFTER INSERT ON public.ledger_posting
    REFERENCING NEW TABLE AS added EXECUTE FUNCTION public.ledger_posted();
ALTER TABLE public.ledger_posting ENABLE ALWAYS TRIGGER ledger_posting_posted;

DROP TRIGGER IF EXISTS ledger_posting_append_only ON public.ledger_posting;
CREATE TRIGGER ledger_posting_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.ledger_posting
    EXECUTE FUNCTION public.refuse_change();
ALTER TABLE public.ledger_posting ENABLE ALWAYS TRIGGER ledger_posting_append_only;

DROP TRIGGER IF EXISTS ledger_balance_kept ON public.ledger_balance;
CREATE TRIGGER ledger_balance_kept BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.ledger_balance
    EXECUTE FUNCTION public.ledger_balance_kept();
ALTER TABLE public.ledger_balance ENABLE ALWAYS TRIGGER ledger_balance_kept;

DROP TRIGGER IF EXISTS fund_close_queue ON public.fund_close;
CREATE TRIGGER fund_close_queue BEFORE INSERT ON public.fund_close
    EXECUTE FUNCTION public.ledger_queue();
ALTER TABLE public.fund_close ENABLE ALWAYS TRIGGER fund_close_queue;

DROP TRIGGER IF EXISTS fund_close_closing ON public.fund_close;
CREATE TRIGGER fund_close_closing BEFORE INSERT ON public.fund_close
    FOR EACH ROW EXECUTE FUNCTION public.fund_closing();
ALTER TABLE public.fund_close ENABLE ALWAYS TRIGGER fund_close_closing;

DROP TRIGGER IF EXISTS fund_close_append_only ON public.fund_close;
CREATE TRIGGER fund_close_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.fund_close
    EXECUTE FUNCTION public.refuse_change();
ALTER TABLE public.fund_close ENABLE ALWAYS TRIGGER fund_close_append_only;

DROP TRIGGER IF EXISTS fund_rule_queue ON public.fund_rule;
CREATE TRIGGER fund_rule_queue BEFORE INSERT OR UPDATE OR DELETE ON public.fund_rule
    EXECUTE FUNCTION public.ledger_queue();
ALTER TABLE public.fund_rule ENABLE ALWAYS TRIGGER fund_rule_queue;

DROP TRIGGER IF EXISTS fund_rule_kept ON public.fund_rule;
CREATE TRIGGER fund_rule_kept BEFORE INSERT OR UPDATE OR DELETE ON public.fund_rule
    FOR EACH ROW EXECUTE FUNCTION public.fund_rule_kept();
ALTER TABLE public.fund_rule ENABLE ALWAYS TRIGGER fund_rule_kept;

DROP TRIGGER IF EXISTS fund_rule_truncate ON public.fund_rule;
CREATE TRIGGER fund_rule_truncate BEFORE TRUNCATE ON public.fund_rule
    EXECUTE FUNCTION public.refuse_change();
ALTER TABLE public.fund_rule ENABLE ALWAYS TRIGGER fund_rule_truncate;

DROP TRIGGER IF EXISTS partner_ledger ON public.partner;
CREATE TRIGGER partner_ledger BEFORE UPDATE OR DELETE ON public.partner
    FOR EACH ROW EXECUTE FUNCTION public.ledger_partner_kept();
ALTER TABLE public.partner ENABLE ALWAYS TRIGGER partner_ledger;

DROP TRIGGER IF EXISTS partner_truncate ON public.partner;
CREATE TRIGGER partner_truncate BEFORE TRUNCATE ON public.partner
    EXECUTE FUNCTION public.refuse_change();
ALTER TABLE public.partner ENABLE ALWAYS TRIGGER partner_truncate;

DROP TRIGGER IF EXISTS ledger_unposted_kept ON public.ledger_unposted;
CREATE TRIGGER ledger_unposted_kept BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.ledger_unposted
    EXECUTE FUNCTION public.ledger_balance_kept();
ALTER TABLE public.ledger_unposted ENABLE ALWAYS TRIGGER ledger_unposted_kept;

DROP TRIGGER IF EXISTS ledger_unposted_complete ON public.ledger_unposted;
CREATE CONSTRAINT TRIGGER ledger_unposted_complete AFTER UPDATE ON public.ledger_unposted
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.entries <> 0) EXECUTE FUNCTION public.ledger_complete();
ALTER TABLE public.ledger_unposted ENABLE ALWAYS TRIGGER ledger_unposted_complete;

DROP TRIGGER IF EXISTS audit_append_only ON public.audit;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit
    EXECUTE FUNCTION public.refuse_change();
ALTER TABLE public.audit ENABLE ALWAYS TRIGGER audit_append_only;
