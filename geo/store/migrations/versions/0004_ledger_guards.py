"""The ledger guards itself: append-only, balanced, never overdrawn, closed periods stay closed.

Functions are made by CREATE OR REPLACE, so that a restored dump may find them there. Names of tables
are qualified: no search_path leads a trigger astray. What each guard is for: docs/fund.md.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = ("ledger_entry", "ledger_posting", "fund_close", "audit")

REFUSE = """
CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: rows are only ever added to it', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'An entry is corrected by its reversal.';
END $$
"""

QUEUE = """
CREATE OR REPLACE FUNCTION public.ledger_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Every later statement of this transaction must see what those before it in the queue committed.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the fund is written in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(470006);
    RETURN NULL;
END $$
"""

ENTERED = """
CREATE OR REPLACE FUNCTION public.ledger_entered() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    closed date := (SELECT max(until) FROM public.fund_close);
    wrong text;
BEGIN
    SELECT reference INTO wrong FROM added WHERE day <= closed LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % lies in a period closed until %', wrong, closed
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT reference INTO wrong FROM added
    WHERE tx <> (pg_current_xact_id()::text)::bigint OR posted_at < transaction_timestamp() LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % claims another transaction or moment than its own', wrong
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

COMPLETE = """
CREATE OR REPLACE FUNCTION public.ledger_complete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.ledger_posting WHERE entry_id = NEW.id) THEN
        RAISE EXCEPTION 'entry % has no postings', NEW.reference
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

POSTED = """
CREATE OR REPLACE FUNCTION public.ledger_posted() RETURNS trigger LANGUAGE plpgsql
-- Plans are kept while the tables grow. LATERAL with OFFSET 0 makes each look one row up by its index.
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    wrong bigint;
BEGIN
    -- An entry's postings come whole, in one statement of the transaction that entered it.
    SELECT a.entry_id INTO wrong
    FROM added a
    CROSS JOIN LATERAL (SELECT * FROM public.ledger_entry WHERE id = a.entry_id OFFSET 0) e
    WHERE e.tx <> (pg_current_xact_id()::text)::bigint OR e.posted_at < transaction_timestamp() LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry number % is posted already', wrong
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT a.entry_id INTO wrong
    FROM (SELECT entry_id, count(*) AS n, sum(amount_cents) AS total FROM added GROUP BY entry_id) a
    WHERE a.total <> 0 OR a.n <> 2
        OR a.n <> (SELECT count(*) FROM public.ledger_posting p WHERE p.entry_id = a.entry_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'postings of entry number % are not two that sum to 0', wrong
            USING ERRCODE = 'integrity_constraint_violation',
                HINT = 'Insert all postings of an entry in one statement.';
    END IF;

    -- Each kind moves money between its two accounts.
    SELECT e.id INTO wrong
    FROM added a
    CROSS JOIN LATERAL (SELECT * FROM public.ledger_entry WHERE id = a.entry_id OFFSET 0) e
    WHERE e.kind <> 'reversal' AND (e.kind, a.account, sign(a.amount_cents)) NOT IN (
        ('contribution', 'partners', -1), ('contribution', 'available', 1),
        ('match', 'departement', -1), ('match', 'available', 1),
        ('commitment', 'available', -1), ('commitment', 'committed', 1),
        ('release', 'committed', -1), ('release', 'available', 1),
        ('payment', 'committed', -1), ('payment', 'paid', 1)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry number % moves money between accounts that are not those of its kind', wrong
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    -- What an entry leans on is of the right kind and not later than it.
    SELECT e.id INTO wrong
    FROM added a
    CROSS JOIN LATERAL (SELECT * FROM public.ledger_entry WHERE id = a.entry_id OFFSET 0) e
    CROSS JOIN LATERAL (
        SELECT kind, day FROM public.ledger_entry
        WHERE id = coalesce(e.commitment_id, e.contribution_id) OFFSET 0
    ) base
    WHERE e.kind IN ('match', 'release', 'payment') AND (
        base.kind <> CASE e.kind WHEN 'match' THEN 'contribution' ELSE 'commitment' END
        OR base.day > e.day) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry number % leans on an entry of another kind, or a later one', wrong
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    -- A reversal is the exact mirror of an entry that is none.
    SELECT e.id INTO wrong
    FROM added a
    CROSS JOIN LATERAL (SELECT * FROM public.ledger_entry WHERE id = a.entry_id OFFSET 0) e
    CROSS JOIN LATERAL (SELECT * FROM public.ledger_entry WHERE id = e.reverses OFFSET 0) o
    LEFT JOIN LATERAL (
        SELECT amount_cents FROM public.ledger_posting
        WHERE entry_id = o.id AND account = a.account OFFSET 0
    ) p ON true
    WHERE p.amount_cents IS DISTINCT FROM -a.amount_cents OR o.kind = 'reversal' OR o.day > e.day
        OR (e.partner_code, e.level, e.action_line, e.commune, e.site_id, e.fictif)
            IS DISTINCT FROM (o.partner_code, o.level, o.action_line, o.commune, o.site_id, o.fictif)
        OR e.due_cents IS DISTINCT FROM -o.due_cents
        OR e.commitment_id IS DISTINCT FROM
            coalesce(o.commitment_id, CASE o.kind WHEN 'commitment' THEN o.id END)
        OR e.contribution_id IS DISTINCT FROM
            coalesce(o.contribution_id, CASE o.kind WHEN 'contribution' THEN o.id END)
        OR (o.kind = 'match' AND NOT EXISTS (
            SELECT FROM public.ledger_entry r WHERE r.reverses = o.contribution_id)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry number % is not the mirror of the one it reverses', wrong
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    -- A contribution's match stays within what the rate adds; reversed, it has none.
    SELECT c.id INTO wrong
    FROM (
        SELECT DISTINCT e.contribution_id AS id
        FROM added a
        CROSS JOIN LATERAL (SELECT * FROM public.ledger_entry WHERE id = a.entry_id OFFSET 0) e
        WHERE e.contribution_id IS NOT NULL
    ) t
    CROSS JOIN LATERAL (SELECT id, due_cents FROM public.ledger_entry WHERE id = t.id OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT -coalesce(sum(p.amount_cents), 0) AS cents
        FROM public.ledger_entry m
        CROSS JOIN LATERAL (
            SELECT amount_cents FROM public.ledger_posting
            WHERE entry_id = m.id AND account = 'departement' OFFSET 0
        ) p
        WHERE m.contribution_id = t.id
    ) matched
    WHERE matched.cents > CASE
        WHEN EXISTS (SELECT FROM public.ledger_entry r WHERE r.reverses = c.id) THEN 0 ELSE c.due_cents
    END LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'contribution number % would be matched with more than it is due', wrong
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    -- No commitment gives more than it holds.
    SELECT t.id INTO wrong
    FROM (
        SELECT DISTINCT e.commitment_id AS id
        FROM added a
        CROSS JOIN LATERAL (SELECT * FROM public.ledger_entry WHERE id = a.entry_id OFFSET 0) e
        WHERE e.commitment_id IS NOT NULL
    ) t
    CROSS JOIN LATERAL (
        SELECT sum(p.amount_cents) AS cents
        FROM (
            SELECT t.id UNION ALL SELECT id FROM public.ledger_entry WHERE commitment_id = t.id
        ) e
        CROSS JOIN LATERAL (
            SELECT amount_cents FROM public.ledger_posting
            WHERE entry_id = e.id AND account = 'committed' OFFSET 0
        ) p
    ) held
    WHERE held.cents < 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'commitment number % does not hold that much', wrong
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    -- Its CHECK refuses what the fund does not have.
    UPDATE public.ledger_balance b SET amount_cents = b.amount_cents + s.total
    FROM (SELECT account, sum(amount_cents) AS total FROM added GROUP BY account) s
    WHERE s.account = b.account;
    RETURN NULL;
END $$
"""

KEPT = """
CREATE OR REPLACE FUNCTION public.ledger_balance_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Below the trigger of the postings, and nowhere else.
    IF pg_trigger_depth() < 2 OR TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION '% of ledger_balance is refused: postings alone change it', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$
"""

CLOSING = """
CREATE OR REPLACE FUNCTION public.fund_closing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.until > current_date OR NEW.until <= (SELECT max(until) FROM public.fund_close) THEN
        RAISE EXCEPTION 'a period is closed until a day past, later than the one before'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

RULED = """
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
END $$
"""

FUNCTIONS = (REFUSE, QUEUE, ENTERED, COMPLETE, POSTED, KEPT, CLOSING, RULED)

TRIGGERS = {
    "ledger_entry": {
        "queue": "TRIGGER {} BEFORE INSERT ON {} EXECUTE FUNCTION public.ledger_queue()",
        "entered": "TRIGGER {} AFTER INSERT ON {} REFERENCING NEW TABLE AS added"
        " EXECUTE FUNCTION public.ledger_entered()",
        "complete": "CONSTRAINT TRIGGER {} AFTER INSERT ON {} DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION public.ledger_complete()",
    },
    "ledger_posting": {
        "queue": "TRIGGER {} BEFORE INSERT ON {} EXECUTE FUNCTION public.ledger_queue()",
        "posted": "TRIGGER {} AFTER INSERT ON {} REFERENCING NEW TABLE AS added"
        " EXECUTE FUNCTION public.ledger_posted()",
    },
    "ledger_balance": {
        "kept": "TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {}"
        " EXECUTE FUNCTION public.ledger_balance_kept()",
    },
    "fund_close": {
        "queue": "TRIGGER {} BEFORE INSERT ON {} EXECUTE FUNCTION public.ledger_queue()",
        "closing": "TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION public.fund_closing()",
    },
    "fund_rule": {
        "queue": "TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE ON {} EXECUTE FUNCTION public.ledger_queue()",
        "kept": "TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE ON {}"
        " FOR EACH ROW EXECUTE FUNCTION public.fund_rule_kept()",
        "truncate": "TRIGGER {} BEFORE TRUNCATE ON {} EXECUTE FUNCTION public.refuse_change()",
    },
}


def upgrade() -> None:
    op.create_table(
        "ledger_balance",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column(
            "amount_cents",
            sa.BigInteger(),
            nullable=False,
            comment="sum of its postings, kept by their trigger",
        ),
        sa.CheckConstraint(
            "account NOT IN ('available', 'committed', 'paid') OR amount_cents >= 0",
            name=op.f("ledger_balance_amount_cents_check"),
        ),
        sa.PrimaryKeyConstraint("account", name=op.f("ledger_balance_pkey")),
    )
    op.execute(
        "INSERT INTO ledger_balance SELECT account, coalesce(sum(p.amount_cents), 0) FROM unnest("
        "ARRAY['partners', 'departement', 'available', 'committed', 'paid']) AS account"
        " LEFT JOIN ledger_posting p USING (account) GROUP BY account"
    )
    for function in FUNCTIONS:
        op.execute(function)
    for table, triggers in TRIGGERS.items():
        for name, trigger in triggers.items():
            _make(table, name, trigger)
    for table in APPEND_ONLY:
        refusal = (
            "TRIGGER {} BEFORE UPDATE OR DELETE OR TRUNCATE ON {} EXECUTE FUNCTION public.refuse_change()"
        )
        _make(table, "append_only", refusal)


def _make(table: str, name: str, trigger: str) -> None:
    op.execute("CREATE " + trigger.format(f"{table}_{name}", f"public.{table}"))
    # Also where session_replication_role is 'replica', which silences ordinary triggers.
    op.execute(f"ALTER TABLE public.{table} ENABLE ALWAYS TRIGGER {table}_{name}")


def downgrade() -> None:
    for table, triggers in TRIGGERS.items():
        for name in triggers:
            op.execute(f"DROP TRIGGER {table}_{name} ON public.{table}")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER {table}_append_only ON public.{table}")
    op.drop_table("ledger_balance")
    names = ("ledger_posted", "ledger_entered", "ledger_complete", "ledger_queue", "ledger_balance_kept")
    for name in (*names, "fund_closing", "fund_rule_kept", "refuse_change"):
        op.execute(f"DROP FUNCTION public.{name}()")
