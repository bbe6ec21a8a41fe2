# syntax=docker/dockerfile:1
# A worker on an NVIDIA GPU. CUDA 13 and cuDNN 9 come as wheels with the lock, so the base is the CPU worker's.
# From the root of the checkout:
#
#   docker build -f deploy/docker/worker-gpu.Dockerfile -t fidox-worker-gpu .
#
# The host needs the driver (580 or newer runs CUDA 13) and the NVIDIA container toolkit; no part of either is in here.
ARG PYTHON_TAG=3.11-slim-bookworm
ARG PYTHON_DIGEST=

FROM python:${PYTHON_TAG}${PYTHON_DIGEST} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/build && python -m venv /opt/fidox
COPY deploy/locks/build.txt deploy/locks/setuptools.txt deploy/locks/worker-gpu.txt deploy/locks/
# One dependency is there as source alone; what builds it is locked, too, and nothing else may be built.
RUN /opt/build/bin/pip install --no-deps --require-hashes -r deploy/locks/build.txt \
 && /opt/fidox/bin/pip install --no-deps --require-hashes -r deploy/locks/setuptools.txt \
 && /opt/fidox/bin/pip install --no-deps --require-hashes --no-build-isolation \
      --only-binary :all: --no-binary face-recognition-models -r deploy/locks/worker-gpu.txt
COPY pyproject.toml README.md ./
COPY shared shared
COPY gateway gateway
COPY workers workers
COPY deploy deploy
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist . \
 && /opt/fidox/bin/pip install --no-deps --no-index /dist/*.whl \
 && /opt/fidox/bin/pip uninstall --yes pip

FROM python:${PYTHON_TAG}${PYTHON_DIGEST}
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin fidox
COPY --from=build /opt/fidox /opt/fidox
ENV PATH=/opt/fidox/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    FIDOX_WEIGHTS_DIR=/weights FIDOX_READY_FILE=/tmp/fidox-ready \
    FIDOX_METRICS_HOST=0.0.0.0 FIDOX_METRICS_PORT=9464 FIDOX_LOG_FORMAT=json
WORKDIR /tmp
USER 10001:10001
EXPOSE 9464
# A first start may compile kernels for the card for a while.
HEALTHCHECK --interval=10s --timeout=3s --start-period=180s --retries=3 \
  CMD ["sh", "-c", "test -n \"$(find \"$FIDOX_READY_FILE\" -mmin -0.25 2>/dev/null)\""]
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "workers.face"]
