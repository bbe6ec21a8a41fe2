# syntax=docker/dockerfile:1
# The gateway, and the operators' command line: HTTP, no image library. From the root of the checkout:
#
#   docker build -f deploy/docker/gateway.Dockerfile -t fidox-gateway .
#
# PYTHON_DIGEST pins the base to its bytes: --build-arg PYTHON_DIGEST=@sha256:…
ARG PYTHON_TAG=3.11-slim-bookworm
ARG PYTHON_DIGEST=

FROM python:${PYTHON_TAG}${PYTHON_DIGEST} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/build && python -m venv /opt/fidox
# The dependencies first: they change seldom, so this layer is kept while the code changes.
COPY deploy/locks/build.txt deploy/locks/gateway.txt deploy/locks/
RUN /opt/build/bin/pip install --no-deps --require-hashes -r deploy/locks/build.txt \
 && /opt/fidox/bin/pip install --no-deps --require-hashes --only-binary :all: -r deploy/locks/gateway.txt
COPY pyproject.toml README.md ./
COPY shared shared
COPY gateway gateway
COPY workers workers
COPY deploy deploy
# The wheel is made with what the lock names and nothing else, and installed without asking any index.
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist . \
 && /opt/fidox/bin/pip install --no-deps --no-index /dist/*.whl \
 && /opt/fidox/bin/pip uninstall --yes pip setuptools

FROM python:${PYTHON_TAG}${PYTHON_DIGEST}
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin fidox
COPY --from=build /opt/fidox /opt/fidox
# Whatever is written lies under /tmp, which is memory: the root file system may be read-only.
ENV PATH=/opt/fidox/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    FIDOX_HOST=0.0.0.0 PORT=8000 FIDOX_METRICS_HOST=0.0.0.0 FIDOX_METRICS_PORT=9464 FIDOX_LOG_FORMAT=json
WORKDIR /tmp
# By number: Kubernetes cannot tell of a name that it is not root.
USER 10001:10001
EXPOSE 8000 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health/live\", timeout=2)"]
# tini takes in what dies without a parent, and hands SIGTERM on: calls in hand are answered, then the gateway ends.
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "gateway"]
