"""Synthetic templates, as hard to tell apart as real ones, and a quick way of them into a database."""

import secrets

import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from shared.db.templates import TEMPLATE_VERSION


class People:
    """Embeddings that crowd as faces do: families of 50 around a centre, most variance in few directions.

    In 100,000 of them a template's nearest stranger has a cosine of 0.8 and more, where uniform vectors have 0.25.
    Rounded to float16, as the table keeps them.
    """

    def __init__(self, seed: int, dimension: int = 512) -> None:
        self._random = np.random.default_rng(seed)
        self._scale = (np.arange(1, dimension + 1) ** -0.5).astype(np.float32)

    def templates(self, count: int) -> np.ndarray:
        """(count, dimension) float32, normalised."""
        centres = self._draw(-(-count // 50))
        return normalised(centres[self._random.integers(0, len(centres), count)] + self._draw(count))

    def probes(self, templates: np.ndarray, share: float = 0.35) -> np.ndarray:
        """Another photo of each: moved by `share` of a stranger's distance. At 0.35 the cosine is about 0.94."""
        drawn = self._draw(len(templates))
        return normalised(templates + share * drawn / np.linalg.norm(drawn, axis=1, keepdims=True))

    def _draw(self, count: int) -> np.ndarray:
        return self._random.standard_normal((count, self._scale.size), np.float32) * self._scale


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Each of length 1, then rounded to float16 and back."""
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16).astype(np.float32)


def new_tenant(database: psycopg.Connection) -> int:
    """A tenant without keys."""
    name = f"gallery {secrets.token_hex(6)}"
    row = database.execute("INSERT INTO tenants (name, calls_per_minute) VALUES (%s, 6000) RETURNING id", (name,))
    return row.fetchone()[0]


def enrol(database: psycopg.Connection, tenant: int, model: tuple[str, str], templates: np.ndarray) -> None:
    """COPY users u0, u1, … (where they are not there) and a template of each."""
    register_vector(database)
    with database.transaction(), database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users (tenant_id, user_code, name, tx_id)"
            " SELECT %s, 'u' || n, 'name of u' || n, 'tx' FROM generate_series(0, %s) AS n ON CONFLICT DO NOTHING",
            (tenant, len(templates) - 1),
        )
        columns = "tenant_id, user_code, engine, model_id, version, embedding, tx_id"
        with cursor.copy(f"COPY templates ({columns}) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "text", "text", "text", "int2", "halfvec", "text"])
            for n, embedding in enumerate(templates):
                copy.write_row((tenant, f"u{n}", *model, TEMPLATE_VERSION, HalfVector(embedding), "tx"))
