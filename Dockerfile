# Every service of Kensoku; the command says which: python -m kensoku.acquisition
FROM python:3.11-slim-bookworm
WORKDIR /opt/kensoku
COPY constraints.txt ./
RUN sed '/^## dev/,$d' constraints.txt > requirements.txt \
    && pip install --no-cache-dir --require-hashes --requirement requirements.txt \
    && sed -n '/^psycopg.*==/,/[^\\]$/p' constraints.txt > postgresql.txt \
    && pip install --no-cache-dir --no-deps --require-hashes --requirement postgresql.txt
COPY pyproject.toml README.md LICENSE ./
COPY model_repository model_repository
COPY shared shared
COPY services services
COPY training training
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/kensoku kensoku
USER 10001
CMD ["kensoku", "--help"]
