-- Tenants and their keys, the console's keys and accounts, users with templates, transactions.

CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE tenants (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
    calls_per_minute integer NOT NULL CHECK (calls_per_minute > 0),
    is_active        boolean NOT NULL DEFAULT true,
    created_at       timestamptz NOT NULL DEFAULT now()
);

-- The secret is a password (people paste it into programs), so its hash is argon2id.
CREATE TABLE access_keys (
    access_key  text PRIMARY KEY,
    tenant_id   bigint NOT NULL REFERENCES tenants ON DELETE CASCADE,
    label       text NOT NULL DEFAULT '',
    secret_hash text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    revoked_at  timestamptz
);
CREATE INDEX access_keys_tenant ON access_keys (tenant_id);

-- 32 random bytes need no slow hash, and one on every request would be the bottleneck: SHA-256.
CREATE TABLE api_keys (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    key_hash      bytea NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    key_prefix    text NOT NULL,
    key_suffix    text NOT NULL,
    is_active     boolean NOT NULL DEFAULT true,
    request_count bigint NOT NULL DEFAULT 0,
    last_used_at  timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE admins (
    username      text PRIMARY KEY CHECK (length(username) BETWEEN 1 AND 128),
    password_hash text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);

-- A user code is compared byte by byte (COLLATE "C"): two spellings that a locale calls equal are two users.
-- tx_id is the registration that made the row: a job that is done twice after a crash recognises its own work.
CREATE TABLE users (
    tenant_id  bigint NOT NULL REFERENCES tenants ON DELETE CASCADE,
    user_code  text COLLATE "C" NOT NULL CHECK (length(user_code) BETWEEN 1 AND 128),
    name       text CHECK (length(name) <= 128),
    tx_id      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_code)
);

-- Hash partitions by tenant: a large tenant's exact scan reads its own partition, a small one's its index range.
-- Embeddings are L2-normalised; their dimension is the model's, and vectors of two models are never compared.
CREATE TABLE templates (
    tenant_id  bigint NOT NULL,
    user_code  text COLLATE "C" NOT NULL,
    engine     text NOT NULL,
    model_id   text NOT NULL,
    version    smallint NOT NULL,
    embedding  halfvec NOT NULL,
    tx_id      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_code, engine, model_id),
    FOREIGN KEY (tenant_id, user_code) REFERENCES users ON DELETE CASCADE
) PARTITION BY HASH (tenant_id);

DO $$
BEGIN
    FOR i IN 0..15 LOOP
        EXECUTE format(
            'CREATE TABLE templates_%s PARTITION OF templates FOR VALUES WITH (MODULUS 16, REMAINDER %s)', i, i);
    END LOOP;
END $$;

-- Every call. The time is the call's own (when it was submitted), so that a job done twice writes the same row.
CREATE TABLE transactions (
    tx_id      text NOT NULL,
    operation  text NOT NULL,
    created_at timestamptz NOT NULL,
    tenant_id  bigint,
    dialect    text NOT NULL,
    outcome    text NOT NULL,
    engine     text,
    model      text,
    score      real,
    matched    boolean,
    wait_ms    real,
    total_ms   real,
    PRIMARY KEY (tx_id, operation, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX transactions_tenant ON transactions (tenant_id, created_at);
CREATE INDEX transactions_time ON transactions (created_at);

-- A row whose month has no partition lands here instead of being lost.
CREATE TABLE transactions_default PARTITION OF transactions DEFAULT;

-- Makes this month's partition and the next ones'. Returns how many were new.
CREATE FUNCTION ensure_transaction_partitions(months_ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    from_day  date;
    partition text;
    made      integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('transaction partitions'));
    FOR i IN 0..months_ahead LOOP
        from_day := first_day + make_interval(months => i);
        partition := 'transactions_' || to_char(from_day, 'YYYY_MM');
        IF to_regclass(partition) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF transactions FOR VALUES FROM (%L) TO (%L)', partition,
                from_day::text || ' 00:00+00', (from_day + interval '1 month')::date::text || ' 00:00+00');
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;

-- Drops the monthly partitions that end before now minus keep_days. Returns how many.
CREATE FUNCTION drop_transaction_partitions(keep_days integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    candidate record;
    dropped   integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('transaction partitions'));
    FOR candidate IN
        SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid
        WHERE inhparent = 'transactions'::regclass AND relname ~ '^transactions_\d{4}_\d{2}$'
    LOOP
        IF to_date(right(candidate.relname, 7), 'YYYY_MM') + interval '1 month' < now() - make_interval(days => keep_days)
        THEN
            EXECUTE format('DROP TABLE %I', candidate.relname);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$;

SELECT ensure_transaction_partitions(3);
