-- What a tenant may choose. A spoof that withLiveness finds is told of and changes nothing, unless the tenant wants more.

ALTER TABLE tenants ADD COLUMN spoof_rejects boolean NOT NULL DEFAULT false;
