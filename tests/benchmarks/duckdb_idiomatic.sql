-- The features as a good user of DuckDB would write them, from a carrier's raw Parquet export.
--
-- Variable: events (glob of the export's Parquet). Numbers are cast and cell names hashed, which is
-- cheaper here than text keys; otherwise windows, filtered aggregates and joins as in the manual.

CREATE TYPE event AS ENUM ('MOC', 'MTC', 'SMS_MO', 'SMS_MT');

CREATE TEMP TABLE cell_names AS
SELECT hash(cell) AS place, any_value(cell) AS top_cell
FROM read_parquet(getvariable('events')) GROUP BY place;

-- A duplicate follows its twin; to drop it here is a third cheaper than DISTINCT ON.
CREATE TEMP TABLE events AS
WITH typed AS (
    SELECT
        msisdn::UBIGINT AS line, event_type::event AS t, epoch(start)::INTEGER AS start,
        duration, other::UBIGINT AS other, answered = 1 AS answered,
        hash(cell) AS place, imei::UBIGINT AS imei, imsi::UBIGINT AS sim
    FROM read_parquet(getvariable('events'))
)
SELECT * EXCLUDE imei,
    imei // 10 AS handset,
    imei % 10 AS check_digit,
    row_number() OVER w AS pos,
    lag(place) OVER w AS place_before,
    lag(imei // 10) OVER w AS handset_before
FROM typed
WINDOW w AS (PARTITION BY line ORDER BY start, t, duration, other)
QUALIFY (start, t, duration, other) IS DISTINCT FROM lag((start, t, duration, other)) OVER w;

SET VARIABLE first = (SELECT min(start) FROM events);
SET VARIABLE last = (SELECT max(start) FROM events);

CREATE TEMP TABLE totals AS
SELECT
    line AS key,
    line::VARCHAR AS line,
    count(*) AS events,
    count(*) FILTER (t = 'MOC') AS moc,
    count(*) FILTER (t = 'MTC') AS mtc,
    count(*) FILTER (t = 'SMS_MO') AS sms_mo,
    count(*) FILTER (t = 'SMS_MT') AS sms_mt,
    count(*) FILTER (t = 'MOC' AND answered) AS moc_answered,
    count(*) FILTER (t = 'MOC' AND NOT answered) AS moc_unanswered,
    count(*) FILTER (t = 'MTC' AND answered) AS mtc_answered,
    count(*) FILTER (t = 'MTC' AND NOT answered) AS mtc_unanswered,
    sum(duration) FILTER (t = 'MOC') AS talk_out_s,
    sum(duration) FILTER (t = 'MTC') AS talk_in_s,
    min(start) AS first_s,
    max(start) AS last_s,
    min(start) FILTER (t = 'MOC') AS first_out_s,
    count(place) AS placed,
    count(*) FILTER (place <> place_before) AS cell_changes,
    count(*) FILTER (handset <> handset_before) AS handset_changes
FROM events GROUP BY line;

CREATE TEMP TABLE days AS
WITH of_day AS (
    SELECT
        line AS key, start // 86400 AS day,
        count(*) FILTER (t = 'MOC') AS moc,
        bool_or(t IN ('MTC', 'SMS_MT')) AS incoming,
        bool_or(t IN ('SMS_MO', 'SMS_MT')) AS texts
    FROM events GROUP BY ALL
)
SELECT
    key,
    count(*) AS days,
    count(*) AS placed_days,
    count(*) FILTER (moc > 0) AS moc_days,
    count(*) FILTER (moc > 0 AND incoming) AS moc_days_with_incoming,
    count(*) FILTER (texts) AS sms_days,
    max(moc) AS moc_day_max
FROM of_day GROUP BY key;

CREATE TEMP TABLE places AS
WITH cells AS (
    SELECT line AS key, place, count(*) AS events,
        count(DISTINCT start // 86400) AS days
    FROM events GROUP BY ALL
)
SELECT
    key,
    count(*) AS cells,
    max(events) AS cell_top_events,
    min_by(top_cell, (-events, top_cell)) AS top_cell,
    log2(sum(events)) - sum(events * log2(events)) / sum(events) AS cell_entropy_bit,
    sum(days) AS cell_days
FROM cells JOIN cell_names USING (place) GROUP BY key;

CREATE TEMP TABLE returns AS
WITH moves AS (
    SELECT line AS key, place, lag(place, 2) OVER (PARTITION BY line ORDER BY pos) AS place_2
    FROM events WHERE place IS DISTINCT FROM place_before
)
SELECT key, count(*) AS cell_returns FROM moves WHERE place = place_2 GROUP BY key;

CREATE TEMP TABLE calls AS
WITH beside AS (
    SELECT line AS key, start, duration, answered, other, pos,
        row_number() OVER w AS rank,
        start - lag(start + duration) OVER w AS pause,
        lag(other) OVER w AS other_before,
        count(*) OVER hour AS hour_calls,
        sum(duration) OVER hour AS hour_talk_s
    FROM events WHERE t = 'MOC'
    WINDOW
        w AS (PARTITION BY line ORDER BY pos),
        hour AS (PARTITION BY line ORDER BY start RANGE BETWEEN 3599 PRECEDING AND CURRENT ROW)
)
SELECT *,
    CASE WHEN pause IS NOT NULL THEN greatest(pause, 0) END AS gap,
    CASE WHEN floor(log10(other)) = floor(log10(other_before)) AND other >= 1000000
        THEN other::BIGINT - other_before::BIGINT END AS step,
    answered AND duration > 0 AS talked
FROM beside;

CREATE TEMP TABLE outgoing AS
SELECT
    key,
    count(*) FILTER (talked) AS talked,
    sum(duration) FILTER (talked) AS talked_s,
    stddev_samp(duration) FILTER (talked) AS talk_sd_s,
    median(duration) FILTER (talked) AS talk_median_s,
    count(*) FILTER (talked AND duration < 15) AS talked_short,
    count(*) FILTER (talked AND duration > 180) AS talked_long,
    count(gap) AS successions,
    count(*) FILTER (gap < 3600) AS gaps,
    sum(gap) FILTER (gap < 3600) AS gap_s,
    stddev_samp(gap) FILTER (gap < 3600) AS gap_sd_s,
    median(gap) FILTER (gap < 3600) AS gap_median_s,
    count(*) FILTER (gap <= 30) AS back_to_back,
    count(*) FILTER (step <> 0) AS dial_steps,
    count(*) FILTER (step <> 0 AND abs(step) <= 100) AS dial_near,
    count(*) FILTER (step <> 0 AND other // 10000 = other_before // 10000) AS dial_same_block,
    count(*) FILTER (step > 0) AS dial_up,
    count(*) FILTER (start % 86400 >= 1800 AND start % 86400 < 19800) AS moc_night,
    max(hour_calls) AS moc_hour_max,
    max(hour_talk_s) AS moc_hour_talk_s
FROM calls GROUP BY key;

CREATE TEMP TABLE first_day AS
SELECT key, count(*) AS moc_first_day
FROM calls JOIN totals USING (key) WHERE start - first_s < 86400 GROUP BY key;

CREATE TEMP TABLE hours AS
SELECT key, start // 3600 AS hour, count(*) AS calls, min(start) AS begins, max(start) AS ends
FROM calls GROUP BY ALL;

CREATE TEMP TABLE clock AS
WITH of_day AS (
    SELECT key, hour % 24 AS hour, sum(calls) AS calls, count(*) AS hours FROM hours GROUP BY ALL
)
SELECT
    key,
    sum(hours) AS out_hours,
    count(*) AS hours_of_day,
    log2(sum(calls)) - sum(calls * log2(calls)) / sum(calls) AS hour_entropy_bit
FROM of_day GROUP BY key;

CREATE TEMP TABLE blocks AS
WITH islands AS (
    SELECT *, hour - row_number() OVER (PARTITION BY key ORDER BY hour) AS island FROM hours
),
runs AS (
    SELECT key, island, min(begins) AS begins, max(ends) AS ends, sum(calls) AS calls,
        count(*) AS hours
    FROM islands GROUP BY ALL
)
SELECT key, begins, ends, calls, hours FROM runs
QUALIFY row_number() OVER (
    PARTITION BY key, begins // 86400 ORDER BY hours DESC, calls DESC, begins
) = 1;

CREATE TEMP TABLE shifts AS
SELECT
    key,
    count(*) AS block_days,
    sum(least(hours, 24)) AS block_hours_sum,
    sum(calls) AS block_calls,
    stddev_samp(begins % 86400) / 60 AS shift_start_sd_min,
    stddev_samp(ends - begins + begins % 86400) / 60 AS shift_end_sd_min
FROM blocks GROUP BY key;

CREATE TEMP TABLE edges AS
WITH sides AS (
    SELECT b.key, begins, any_value(b.calls) AS calls, any_value(ends - begins) AS length,
        count(*) FILTER (start - begins <= 1800 OR ends - start <= 1800) AS edge
    FROM blocks b JOIN calls c ON c.key = b.key AND start BETWEEN begins AND ends
    WHERE b.calls >= 10 AND ends - begins >= 7200
    GROUP BY b.key, begins
)
SELECT key, sum(edge - 2) AS edge_calls,
    sum((calls - 2) * 3600000 // length) AS edge_expected_milli
FROM sides GROUP BY key;

CREATE TEMP TABLE busiest_texts AS
WITH texts AS (
    SELECT line AS key, count(*) OVER (
        PARTITION BY line ORDER BY start RANGE BETWEEN 3599 PRECEDING AND CURRENT ROW
    ) AS texts
    FROM events WHERE t = 'SMS_MO'
)
SELECT key, max(texts) AS sms_mo_hour_max FROM texts GROUP BY key;

CREATE TEMP TABLE at_once AS
WITH marks AS (
    SELECT line AS key, start AS at_s, 1 AS delta FROM events WHERE duration > 0
    UNION ALL
    SELECT line, start + duration, -1 FROM events WHERE duration > 0
),
running AS (
    SELECT key, sum(delta) OVER (
        PARTITION BY key ORDER BY at_s, delta ROWS UNBOUNDED PRECEDING
    ) AS calls
    FROM marks
)
SELECT key, max(calls) AS at_once FROM running GROUP BY key;

CREATE TEMP TABLE pairs AS
WITH met AS (
    SELECT
        line AS key, other, pos, t, start, start // 86400 AS day,
        t = 'MOC' AND NOT answered AS missed,
        last_value(CASE WHEN t = 'MOC' THEN start END IGNORE NULLS) OVER earlier AS call_start,
        last_value(CASE WHEN t = 'MOC' THEN NOT answered END IGNORE NULLS) OVER earlier
            AS call_missed,
        bool_or(t IN ('MTC', 'SMS_MT')) OVER earlier AS known
    FROM events
    WINDOW earlier AS (
        PARTITION BY line, other ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
SELECT
    key, other,
    min(pos) AS first_pos,
    count(*) FILTER (t = 'MOC') AS moc,
    count(DISTINCT day) FILTER (t = 'MOC') AS moc_days,
    bool_or(t = 'MTC') AS calls_in,
    bool_or(t = 'SMS_MO') AS texted,
    bool_or(t = 'SMS_MT') AS texts_in,
    bool_or(missed) AS missed,
    count(*) FILTER (t = 'MOC' AND call_missed AND start - call_start <= 3600) AS redials,
    count(*) FILTER (t = 'MOC' AND known) AS after_incoming,
    bool_or(t = 'MTC' AND start - call_start <= 86400) AS returned,
    bool_or(t = 'MTC' AND start - call_start <= 86400 AND call_missed) AS missed_returned
FROM met GROUP BY ALL;

CREATE TEMP TABLE contacts AS
WITH middles AS (
    SELECT c.key, c.pos AS middle
    FROM calls c JOIN totals USING (key) WHERE moc > 1 AND c.rank = (moc + 1) // 2 + 1
)
SELECT
    key,
    count(*) FILTER (moc > 0) AS called,
    sum(moc) AS called_calls,
    count(*) FILTER (moc = 1) AS called_once,
    max(moc) AS called_top1,
    list_sum(max(moc, 5)) AS called_top5,
    log2(sum(moc)) - sum(moc * log2(moc)) FILTER (moc > 0) / sum(moc) AS called_entropy_bit,
    count(*) FILTER (moc > 0 AND (calls_in OR texts_in)) AS who_return,
    count(*) FILTER (calls_in) AS callers,
    count(*) FILTER (texted) AS texted,
    count(*) FILTER (texted AND texts_in) AS texted_who_text,
    count(*) FILTER (texted AND moc > 0) AS texted_and_called,
    count(*) FILTER (missed) AS called_missed,
    sum(redials) AS redials,
    sum(after_incoming) AS after_incoming,
    sum(moc_days) AS day_contacts,
    count(*) FILTER (returned) AS who_call_back,
    count(*) FILTER (missed_returned) AS missed_who_call_back,
    sum(moc) FILTER (first_pos >= middle) AS late_calls_new,
    count(*) FILTER (moc > 0 AND other >= 1000000) AS called_digits,
    count(DISTINCT other // 10000) FILTER (moc > 0 AND other >= 1000000) AS called_blocks
FROM pairs LEFT JOIN middles USING (key) GROUP BY key;

CREATE TEMP TABLE uses AS
SELECT line AS key, handset, sim, any_value(check_digit) AS check_digit, count(*) AS events
FROM events GROUP BY ALL;

CREATE TEMP TABLE handsets AS
WITH distinct_handsets AS (
    SELECT handset, lpad(handset::VARCHAR, 14, '0') AS imei,
        any_value(check_digit) AS check_digit, count(DISTINCT sim) AS sims
    FROM uses GROUP BY handset
)
SELECT
    handset, imei, sims,
    count(*) OVER (
        PARTITION BY handset // 1000000 ORDER BY (handset % 1000000)::INTEGER
        RANGE BETWEEN 8 PRECEDING AND 8 FOLLOWING
    ) - 1 AS neighbours,
    check_digit <> (10 - list_sum([
        CASE WHEN i % 2 = 1 THEN imei[i]::INTEGER
        ELSE imei[i]::INTEGER * 2 // 10 + imei[i]::INTEGER * 2 % 10 END
        FOR i IN range(1, 15)
    ]) % 10) % 10
        OR handset < 1000000 OR imei = repeat(imei[1], 14) AS invalid
FROM distinct_handsets;

CREATE TEMP TABLE devices AS
WITH of_line AS (
    SELECT key, handset, sum(events) AS events FROM uses GROUP BY ALL
)
SELECT
    key,
    count(*) AS handsets,
    min_by(imei, (-events, imei)) AS top_imei,
    max(h.sims) AS handset_sims,
    max(neighbours) AS neighbours,
    count(*) FILTER (invalid) AS handsets_invalid,
    any_value(s.sims) AS sims
FROM of_line JOIN handsets h USING (handset)
JOIN (SELECT key, count(DISTINCT sim) AS sims FROM uses GROUP BY key) s USING (key)
GROUP BY key;

CREATE TEMP TABLE passed AS
SELECT
    line AS key, handset, sim, start, start + duration AS ends,
    lag(sim) OVER (PARTITION BY handset ORDER BY start, sim) <> sim AS turn
FROM events SEMI JOIN (SELECT handset FROM handsets WHERE sims > 1) shared USING (handset)
WHERE t IN ('MOC', 'MTC');

CREATE TEMP TABLE turns AS
SELECT key, count(*) AS handset_turns FROM passed WHERE turn GROUP BY key;

CREATE TEMP TABLE overlapping AS
SELECT key, count(*) AS handset_overlaps
FROM passed a SEMI JOIN passed b
    ON a.handset = b.handset AND a.sim <> b.sim AND a.start < b.ends AND b.start < a.ends
    AND a.ends > a.start AND b.ends > b.start
GROUP BY key;

CREATE TEMP VIEW measures AS
SELECT * EXCLUDE (cell_returns, handset_turns, handset_overlaps, at_once),
    coalesce(cell_returns, 0) AS cell_returns,
    coalesce(handset_turns, 0) AS handset_turns,
    coalesce(handset_overlaps, 0) AS handset_overlaps,
    at_once
FROM totals
JOIN days USING (key)
JOIN places USING (key)
JOIN contacts USING (key)
JOIN devices USING (key)
LEFT JOIN returns USING (key)
LEFT JOIN outgoing USING (key)
LEFT JOIN first_day USING (key)
LEFT JOIN clock USING (key)
LEFT JOIN shifts USING (key)
LEFT JOIN edges USING (key)
LEFT JOIN busiest_texts USING (key)
LEFT JOIN at_once USING (key)
LEFT JOIN turns USING (key)
LEFT JOIN overlapping USING (key);

SET VARIABLE base = 0;
