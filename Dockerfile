# Poolwise for containers. `docker build --tag poolwise .` makes what runs of a work pool need; with `--target serve`,
# what watches for new data and serves the catalogue. How both are used: docs/team.md. `make image` runs every step here
# in a clean root of Debian's. The font is for figures in mails.
FROM debian:bookworm-slim AS python
ENV LANG=C.UTF-8
RUN export DEBIAN_FRONTEND=noninteractive \
 && apt-get update -qq \
 && apt-get install -qq --no-install-recommends ca-certificates fonts-dejavu-core python3 \
 && apt-get clean && rm -rf /var/lib/apt/lists/*

# uv and pip stay behind in this stage. No compiler: everything comes as a wheel, at the versions of uv.lock.
FROM python AS build
RUN export DEBIAN_FRONTEND=noninteractive \
 && apt-get update -qq \
 && apt-get install -qq --no-install-recommends python3-venv \
 && python3 -m venv /opt/uv \
 && /opt/uv/bin/pip install --no-cache-dir --quiet uv==0.13.9
WORKDIR /srv/poolwise/app
ENV UV_PYTHON=/usr/bin/python3 UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1 UV_NO_PROGRESS=1 UV_COMPILE_BYTECODE=1
# What Poolwise needs changes less often than Poolwise.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv sync --quiet --locked --no-default-groups --extra s3 --extra postgres --extra dask --no-install-project
COPY README.md LICENSE ./
COPY flows flows
COPY tasks tasks
COPY stan stan
COPY templates templates
RUN /opt/uv/bin/uv sync --quiet --locked --no-default-groups --extra s3 --extra postgres --extra dask \
 && .venv/bin/python -m compileall -q flows tasks \
 && rm -f .venv/.lock

# The program belongs to root; the user may write reports and its own home, and nothing else.
FROM python AS run
RUN useradd --uid 10001 --create-home --home-dir /srv/poolwise --shell /usr/sbin/nologin poolwise
WORKDIR /srv/poolwise
COPY --from=build /srv/poolwise/app app
COPY data data
# Bytecode is compiled above: nothing is to be written beside it.
ENV PATH=/srv/poolwise/app/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    DO_NOT_TRACK=1 PREFECT_SERVER_ANALYTICS_ENABLED=false
USER 10001

FROM run AS serve
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8765/health', timeout=4)"]
CMD ["poolwise", "serve", "--no-runner"]

FROM run AS job
CMD ["poolwise", "--help"]
