-- Pictures that are kept, what was done with each, and which files are still to be removed from the storage.
--
-- No file is ever without a row that knows of it. Before a file is written its key is a cleanup task that falls due some
-- minutes later; the transaction that writes the rows takes the task away; the one that deletes the rows puts it back.

CREATE TABLE images (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sha256        bytea NOT NULL UNIQUE CHECK (length(sha256) = 32),  -- of the file: the same one is one row
    format        text NOT NULL,
    width         integer NOT NULL,
    height        integer NOT NULL,
    size_bytes    integer NOT NULL,
    original_key  text,            -- null: it could not be stored, and storage_error says why
    storage_error text,
    -- Of its jobs, so that a page of the listing reads this table alone. They change with every job: no index on them, and
    -- room in the page, keep that a change of one place (HOT).
    job_count     integer NOT NULL DEFAULT 0,
    processed_key text,            -- the newest result
    last_job_at   timestamptz NOT NULL DEFAULT now(),
    created_at    timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
CREATE INDEX images_newest ON images (created_at, id);

-- The id is the call's, so that a job that is done twice is written once. A key that is deleted leaves its jobs.
CREATE TABLE jobs (
    id               uuid PRIMARY KEY,
    image_id         uuid NOT NULL REFERENCES images ON DELETE CASCADE,
    api_key_id       uuid,
    job_type         text NOT NULL CHECK (job_type IN ('detect', 'mask')),
    method           text,
    parameters       jsonb NOT NULL,
    model            text NOT NULL,
    face_count       integer NOT NULL,
    detections       jsonb NOT NULL,
    profiling        jsonb NOT NULL,
    total_ms         real NOT NULL,
    processed_key    text,
    processed_format text,
    processed_bytes  integer,
    storage_error    text,
    created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX jobs_newest ON jobs (created_at, id);
CREATE INDEX jobs_image ON jobs (image_id, created_at, id);
CREATE INDEX jobs_method ON jobs (method, created_at, id);
-- The filter by type, and all that the statistics add up: they read this index, and not the detections.
CREATE INDEX jobs_type ON jobs (job_type, created_at, id) INCLUDE (method, face_count, processed_key, processed_bytes);

-- `attempts` is how often somebody has set out to remove the file; from then on no row may take it.
CREATE TABLE cleanup_tasks (
    key        text PRIMARY KEY,
    due_at     timestamptz NOT NULL,
    attempts   integer NOT NULL DEFAULT 0,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cleanup_tasks_due ON cleanup_tasks (due_at);
