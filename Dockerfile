# syntax=docker/dockerfile:1
# hailuo-mcp in a container. Two targets:
#   docker build -t hailuo-mcp .                          serves HTTP (the default)
#   docker build -t hailuo-mcp:stdio --target stdio .     one client over stdin: docker run -i --rm

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY hailuo_mcp ./hailuo_mcp
# The media extra lets the server check each saved clip and render the sandbox's; socks is for SOCKS
# proxies; the others are loaded only where a setting asks for them. Installing compiles everything to bytecode: a start takes half the time.
RUN python -m venv /opt/hailuo \
    && /opt/hailuo/bin/pip install --compile ".[media,socks,postgres,s3,oauth,otel]" \
    && /opt/hailuo/bin/pip uninstall --yes pip

FROM python:3.13-slim AS base
LABEL org.opencontainers.image.title="hailuo-mcp" \
      org.opencontainers.image.licenses="MIT" \
      io.modelcontextprotocol.server.name="io.github.hailuo-mcp/hailuo-mcp"
COPY --from=build /opt/hailuo /opt/hailuo
RUN useradd --system --uid 10001 --create-home hailuo \
    && install -d -o hailuo -g hailuo -m 0700 /data/state \
    && install -d -o hailuo -g hailuo /data/clips \
    && install -d -o hailuo -g hailuo -m 0700 /etc/hailuo
ENV PATH=/opt/hailuo/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HAILUO_STATE_DIR=/data/state \
    HAILUO_OUTPUT_DIR=/data/clips \
    HAILUO_ALLOWED_DIRS=/data/clips
# The journal is money: keep this volume. It must not lie on a network file system (SQLite's locks).
VOLUME /data
USER hailuo
WORKDIR /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["hailuo-mcp"]

FROM base AS stdio

FROM base AS http
EXPOSE 8000
# Every address of the container is another computer's: without HAILUO_HTTP_TOKENS it does not start.
CMD ["serve", "--transport", "http", "--with-sse", "--host", "0.0.0.0", "--port", "8000"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
