-- The secret key's SHA-256. It is 256 random bits, which nobody guesses however fast a guess is: a slow hash protects
-- what people choose, and lets strangers keep the gateway busy. Null for a key from before, until its secret is used;
-- the slow hash stays beside it, since the previous version knows no other.

ALTER TABLE access_keys ADD COLUMN secret_digest bytea;
