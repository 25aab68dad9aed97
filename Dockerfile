# The daemon, and in a target of its own the emulator:
#   docker build -t pointsman .
#   docker build --target emulator -t pointsman-emulator .
# Put the configuration at /etc/pointsman/pointsman.toml and the store on /data:
#   [store] url = "sqlite:////data/pointsman.db"
#   docker run --read-only --tmpfs /tmp --cap-drop ALL -v ./etc:/etc/pointsman:ro -v pointsman:/data \
#     -p 8080:8080 pointsman
# What is installed is pinned by version and hash in deploy/image/*.lock (`make lock`); the image has a
# bill of materials, CycloneDX JSON, at /opt/pointsman/sbom.cdx.json.
# A tag of the base image moves. For what is published, name it by digest: `.ci/image` does, refuses
# anything else, and builds the same image of the same commit and base again.
#   docker build --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:… -t pointsman .
# CI runs these steps without an engine: tests/support/image_steps.py.

ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
# seconds since 1970 that each file of the image is dated; .ci/image gives the commit's
ARG SOURCE_DATE_EPOCH=0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
# compiled files name what they were made of by its hash, not by its time
ENV COMPILE="python -m compileall -q --invalidation-mode unchecked-hash"
RUN python -m venv /opt/build && python -m venv --without-pip /opt/pointsman
WORKDIR /build
COPY deploy/image ./locks
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/build/bin/pip install --require-hashes -r locks/build.lock
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/build/bin/pip --python /opt/pointsman/bin/python install --no-compile --require-hashes \
        -r locks/requirements.lock \
    && $COMPILE /opt/pointsman/lib
COPY pyproject.toml README.md LICENSE hatch_build.py ./
COPY src ./src
# the pages that `pointsman help` shows
COPY docs ./docs
# what `pointsman --version` says, for there is no git here
ARG REVISION=""
RUN POINTSMAN_COMMIT="$REVISION" /opt/build/bin/hatchling build -t wheel -d dist \
    && /opt/build/bin/pip --python /opt/pointsman/bin/python install --no-compile --no-deps dist/*.whl \
    && $COMPILE /opt/pointsman/lib/python*/site-packages/pointsman \
    && /opt/build/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
        --output-file /opt/pointsman/sbom.cdx.json /opt/pointsman/bin/python \
    && find /opt/pointsman -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

# the same with what the emulator needs besides
FROM build AS build-emulator
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/build/bin/pip --python /opt/pointsman/bin/python install --no-compile --require-hashes \
        -r "locks/requirements[emulator].lock" \
    && $COMPILE /opt/pointsman/lib/python*/site-packages/graphql \
    && /opt/build/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
        --output-file /opt/pointsman/sbom.cdx.json /opt/pointsman/bin/python \
    && find /opt/pointsman -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

FROM ${PYTHON_IMAGE} AS base
RUN groupadd --gid 10001 pointsman \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin pointsman \
    && install -d -o 10001 -g 10001 -m 700 /data
ENV PATH=/opt/pointsman/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /data
VOLUME /data
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["pointsman"]
ARG REVISION=unknown
LABEL org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.revision="${REVISION}"

FROM base AS emulator
COPY --from=build-emulator /opt/pointsman /opt/pointsman
LABEL org.opencontainers.image.title="pointsman-emulator" \
    org.opencontainers.image.description="The Thought Industries platform to test against."
EXPOSE 8090
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8090/', timeout=3)"]
CMD ["emulate", "--host", "0.0.0.0", "--data", "/data"]

FROM base AS daemon
COPY --from=build /opt/pointsman /opt/pointsman
ENV POINTSMAN_CONFIG=/etc/pointsman/pointsman.toml
LABEL org.opencontainers.image.title="pointsman" \
    org.opencontainers.image.description="Delivers learning progress to the Thought Industries platform, as state."
# 8081 is [http.operator], where that is set; not for the internet
EXPOSE 8080 8081
# At the port that the configuration names; Kubernetes asks /healthz and /readyz itself. A large store is
# read through after a crash.
HEALTHCHECK --interval=30s --timeout=10s --start-period=300s \
    CMD ["pointsman", "wait", "daemon", "--timeout", "0"]
CMD ["run"]
