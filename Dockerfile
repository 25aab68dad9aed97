# The daemon. Put the configuration at /etc/pointsman/pointsman.toml and the store on /data:
#   [store] url = "sqlite:////data/pointsman.db"
#   docker run -v ./etc:/etc/pointsman:ro -v pointsman:/data -p 8080:8080 pointsman
# The emulator needs one package more: docker build --build-arg EXTRAS=[emulator] -t pointsman-emulator .
# There is no HEALTHCHECK: orchestrators ask /healthz and /readyz.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/pointsman
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
ARG EXTRAS=""
RUN /opt/pointsman/bin/pip install ".$EXTRAS" \
    && /opt/pointsman/bin/python -m compileall -q /opt/pointsman/lib

FROM python:3.13-slim
RUN groupadd --gid 10001 pointsman \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin pointsman \
    && install -d -o 10001 -g 10001 /data
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
