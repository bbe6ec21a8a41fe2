-- A month's partition is made and dropped beside a backup, which holds ACCESS SHARE on every table until it ends.
--
-- CREATE TABLE … PARTITION OF waits for ACCESS EXCLUSIVE on transactions, and every call queues behind that wait. To
-- ATTACH takes SHARE UPDATE EXCLUSIVE there, which lets readers and writers by, and ACCESS EXCLUSIVE on the default
-- partition alone, into which nobody writes. Dropping one has no such way. So both wait for a lock no longer than half a
-- second, and whoever asked tries again later: partitions are made three months ahead.
--
-- The default partition's rows of a month move into it, where they kept it from being made; those past their time go.

CREATE OR REPLACE FUNCTION ensure_transaction_partitions(months_ahead integer) RETURNS integer LANGUAGE plpgsql
SET lock_timeout = '500ms' AS $$
DECLARE
    first_day date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    from_at   timestamptz;
    until_at  timestamptz;
    partition text;
    made      integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('transaction partitions'));
    FOR i IN 0..months_ahead LOOP
        from_at := (first_day + make_interval(months => i)) AT TIME ZONE 'UTC';
        until_at := (first_day + make_interval(months => i + 1)) AT TIME ZONE 'UTC';
        partition := 'transactions_' || to_char(from_at AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass(partition) IS NULL THEN
            LOCK TABLE transactions_default IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('CREATE TABLE %I (LIKE transactions INCLUDING ALL)', partition);
            EXECUTE format(
                'WITH moved AS (DELETE FROM transactions_default WHERE created_at >= %L AND created_at < %L RETURNING *)'
                ' INSERT INTO %I SELECT * FROM moved', from_at, until_at, partition);
            EXECUTE format(
                'ALTER TABLE transactions ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                partition, from_at, until_at);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;

CREATE OR REPLACE FUNCTION drop_transaction_partitions(keep_days integer) RETURNS integer LANGUAGE plpgsql
SET lock_timeout = '500ms' AS $$
DECLARE
    candidate record;
    dropped   integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('transaction partitions'));
    DELETE FROM transactions_default WHERE created_at < now() - make_interval(days => keep_days);
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
