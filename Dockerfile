# The daemon. Put the configuration at /etc/pointsman/pointsman.toml and the store on /data:
#   [store] url = "sqlite:////data/pointsman.db"
#   docker run -v ./etc:/etc/pointsman:ro -v pointsman:/data -p 8080:8080 pointsman
# The emulator needs one package more: docker build --build-arg EXTRAS=[emulator] -t pointsman-emulator .
# What is installed is pinned by version and hash in deploy/image/*.lock (`make lock`); the image has a
# bill of materials, CycloneDX JSON, at /opt/pointsman/sbom.cdx.json.
# A tag of the base image moves. For what is published, name it by digest: `.ci/image` does, and
# refuses anything else.
#   docker build --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:… -t pointsman .
# There is no HEALTHCHECK: orchestrators ask /healthz and /readyz.

ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/build && python -m venv --without-pip /opt/pointsman
WORKDIR /build
COPY deploy/image ./locks
RUN /opt/build/bin/pip install --require-hashes -r locks/build.lock
ARG EXTRAS=""
RUN /opt/build/bin/pip --python /opt/pointsman/bin/python install --require-hashes \
    -r "locks/requirements$EXTRAS.lock"
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /opt/build/bin/hatchling build -t wheel -d /build/dist \
    && /opt/build/bin/pip --python /opt/pointsman/bin/python install --no-deps /build/dist/*.whl \
    && /opt/pointsman/bin/python -m compileall -q /opt/pointsman/lib \
    && /opt/build/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
        --output-file /opt/pointsman/sbom.cdx.json /opt/pointsman/bin/python

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 pointsman \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin pointsman \
    && install -d -o 10001 -g 10001 -m 700 /data
COPY --from=build /opt/pointsman /opt/pointsman
ENV PATH=/opt/pointsman/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    POINTSMAN_CONFIG=/etc/pointsman/pointsman.toml
WORKDIR /data
VOLUME /data
USER 10001:10001
# 8081 is [http.operator], where that is set; not for the internet
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
ENTRYPOINT ["pointsman"]
CMD ["run"]
