"""ID-card OCR: from a photo of a Korean identity document to its fields. No queue and no database but in `tasks`.

    image ─ quad ─ straightened, upright card ─ lines (PaddleOCR) ─ the parser of its type ─ fields

`lines` is what passes between reading and parsing: parsers know no pixels, the reader knows no cards.
"""
