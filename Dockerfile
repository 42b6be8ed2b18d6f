# syntax=docker/dockerfile:1
# Portée in a container: the same scripts as `make`, the database in another container.

FROM node:22-bookworm-slim AS front
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/lib.sh scripts/node.sh scripts/
RUN scripts/node.sh

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="Portée" \
      org.opencontainers.image.description="Digital mediation within reach: sites, communes, coverage gaps and maps for a French département." \
      org.opencontainers.image.licenses="MIT"
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 \
    PATH=/app/.venv/bin:$PATH PORTEE_HOME=/var/lib/portee
WORKDIR /app

# Packages first: they change less often than the code.
COPY requirements.txt pyproject.toml README.md ./
COPY scripts scripts
COPY geo/__init__.py geo/
RUN scripts/venv.sh requirements.txt

COPY geo geo
COPY api api
COPY static_maps static_maps
COPY portee portee
COPY data data
COPY --from=front /app/node_modules node_modules
RUN python -m pip install --quiet --no-deps --no-build-isolation --editable . \
 && python -m static_maps.assets >/dev/null && rm -rf node_modules \
 && useradd --system --home-dir "$PORTEE_HOME" --create-home portee
USER portee
VOLUME ["/var/lib/portee"]
EXPOSE 8047
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8047/healthz', timeout=4)"]
CMD ["portee", "serve", "--host", "0.0.0.0", "--port", "8047"]
