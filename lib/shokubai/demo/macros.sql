-- A 64-bit hash gives two independent numbers in [0, 1).
CREATE OR REPLACE TEMP MACRO high_unit(draw) AS (draw >> 32)::DOUBLE / 4294967296.0;
CREATE OR REPLACE TEMP MACRO low_unit(draw) AS (draw & 4294967295)::DOUBLE / 4294967296.0;
