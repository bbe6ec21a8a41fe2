-- What a tenant may choose. A spoof that withLiveness finds is told of and changes nothing, and the numbers of ID documents
-- are masked, unless an operator says that this tenant wants, or may have, more.

ALTER TABLE tenants ADD COLUMN spoof_rejects boolean NOT NULL DEFAULT false;
ALTER TABLE tenants ADD COLUMN reveals_numbers boolean NOT NULL DEFAULT false;
