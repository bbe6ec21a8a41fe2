-- Sessions of the admin console. The cookie is 32 random bytes, kept as a SHA-256 as API keys are (see 0001); a row is
-- what makes it good, so deleting the row ends the session everywhere.

CREATE TABLE admin_sessions (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    username   text NOT NULL REFERENCES admins ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX admin_sessions_username ON admin_sessions (username);
CREATE INDEX admin_sessions_expiry ON admin_sessions (expires_at);

-- What the admin API's listings are sorted by. Descending has nulls last there, ascending first: one index serves both.
CREATE INDEX transactions_slowest ON transactions (total_ms DESC NULLS LAST);
CREATE INDEX users_newest ON users (tenant_id, created_at, user_code);
