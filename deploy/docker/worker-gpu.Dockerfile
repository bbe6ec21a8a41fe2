# syntax=docker/dockerfile:1
# A worker on an NVIDIA GPU: ONNX Runtime 1.26 is built for CUDA 12 and cuDNN 9, which are in the base and not in a wheel.
# From the root of the checkout:
#
#   docker build -f deploy/docker/worker-gpu.Dockerfile -t fidox-worker-gpu .
#
# The host needs the driver (525 or newer runs CUDA 12) and the NVIDIA container toolkit; no part of either is in here.
# CUDA_DIGEST pins the base to its bytes: --build-arg CUDA_DIGEST=@sha256:…
ARG CUDA_TAG=12.8.1-cudnn-runtime-ubuntu24.04
ARG CUDA_DIGEST=

FROM nvidia/cuda:${CUDA_TAG}${CUDA_DIGEST} AS base
# Ubuntu 24.04's Python is 3.12, and the venv of the first stage is of use in the second because it is the same one.
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin fidox

FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /opt/build && python3 -m venv /opt/fidox
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

FROM base
COPY --from=build /opt/fidox /opt/fidox
ENV PATH=/opt/fidox/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
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
