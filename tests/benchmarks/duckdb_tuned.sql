-- The features in DuckDB SQL tuned by hand, on the same stored columns that simbox reads.
--
-- Variables: events (the store's columns as Parquet), texts (glob of its texts), base (start of the
-- first day, UTC seconds).  Tricks: dense codes, so that one 64-bit key holds line, time, type and
-- duration, and one sort serves all; neighbours by streaming windows (OVER () without a partition
-- reads a sorted table once); running sums and running maxima of packed numbers instead of
-- partitioned windows; bit sets instead of COUNT(DISTINCT day or hour); groups of groups instead
-- of COUNT(DISTINCT); few rows found before dear work.
-- Room: 2^20 lines, 60 days, calls below 36 hours.

CREATE TEMP TABLE lines AS
SELECT line, (row_number() OVER ())::UINTEGER AS n
FROM (
    SELECT DISTINCT line & 1152921504606846975 AS line FROM read_parquet(getvariable('events'))
);

CREATE TEMP TABLE cells AS
SELECT place, (row_number() OVER ())::UINTEGER AS cell
FROM (SELECT DISTINCT place FROM read_parquet(getvariable('events')));

-- Sorted once by line, second, type, duration and other party.
CREATE TEMP TABLE sorted AS
SELECT
    (n::UBIGINT << 44) | ((start - getvariable('base'))::UBIGINT << 20)
        | ((kind & 3)::UBIGINT << 18) | (duration + 1)::UBIGINT AS key,
    other & 1152921504606846975 AS other,
    ((kind >> 2) & 3)::UTINYINT AS answer,
    "offset", cell, imei, imsi
FROM read_parquet(getvariable('events')) e
JOIN lines ON lines.line = e.line & 1152921504606846975
JOIN cells USING (place)
ORDER BY key, other;

-- Duplicates dropped; whether the line was elsewhere, or on another handset or SIM, just before.
CREATE TEMP TABLE events AS
WITH once AS (
    SELECT * FROM (
        SELECT *, key = lag(key) OVER () AND other = lag(other) OVER () AS repeated FROM sorted
    ) WHERE repeated IS NOT TRUE
),
beside AS (
    SELECT *,
        (key >> 44)::INTEGER AS n,
        ((key >> 20) & 16777215)::INTEGER AS start,
        lag(key >> 44) OVER () IS DISTINCT FROM key >> 44 AS opens,
        lag(cell) OVER () AS cell_before,
        lag(imei) OVER () AS imei_before,
        lag(imsi) OVER () AS imsi_before
    FROM once
)
SELECT
    n, start,
    ((key >> 18) & 3)::UTINYINT AS t,
    ((key & 262143)::INTEGER - 1) AS duration,
    other, answer, cell, imei, imsi, opens,
    (start + "offset" * 900)::INTEGER AS local,
    opens OR cell <> cell_before AS moved,
    opens OR imei <> imei_before OR imsi <> imsi_before AS swapped,
    (row_number() OVER ())::INTEGER AS pos
FROM beside;

DROP TABLE sorted;

SET VARIABLE first = (SELECT min(start) FROM events);
SET VARIABLE last = (SELECT max(start) FROM events);

-- One pass for everything that is a count, an extreme or a set of days.
CREATE TEMP TABLE totals AS
SELECT
    n,
    count(*) AS events,
    count(*) FILTER (t = 0) AS moc,
    count(*) FILTER (t = 1) AS mtc,
    count(*) FILTER (t = 2) AS sms_mo,
    count(*) FILTER (t = 3) AS sms_mt,
    count(*) FILTER (t = 0 AND answer = 1) AS moc_answered,
    count(*) FILTER (t = 0 AND answer = 0) AS moc_unanswered,
    count(*) FILTER (t = 1 AND answer = 1) AS mtc_answered,
    count(*) FILTER (t = 1 AND answer = 0) AS mtc_unanswered,
    sum(duration) FILTER (t = 0 AND duration > 0) AS talk_out_s,
    sum(duration) FILTER (t = 1 AND duration > 0) AS talk_in_s,
    min(start) AS first_s,
    max(start) AS last_s,
    min(start) FILTER (t = 0) AS first_out_s,
    bit_or(1::UBIGINT << (local // 86400 + 1)) AS days,
    bit_or(1::UBIGINT << (local // 86400 + 1))
        FILTER (t = 0) AS moc_days,
    bit_or(1::UBIGINT << (local // 86400 + 1))
        FILTER (t IN (1, 3)) AS in_days,
    bit_or(1::UBIGINT << (local // 86400 + 1))
        FILTER (t >= 2) AS sms_days,
    count(*) FILTER (moved AND NOT opens) AS cell_changes
FROM events GROUP BY n;

-- Places: days of a cell, then cells, then the line.
CREATE TEMP TABLE places AS
WITH cell_days AS (
    SELECT (n::UBIGINT << 32) | (cell << 8) | (local // 86400 + 1)::UINTEGER AS key,
        count(*) AS events
    FROM events GROUP BY ALL
),
of_cell AS (
    SELECT key >> 8 AS key, sum(events)::INTEGER AS events, count(*) AS days
    FROM cell_days GROUP BY ALL
)
SELECT
    (key >> 24)::INTEGER AS n,
    count(*) AS cells,
    max(events) AS cell_top_events,
    sum(events * log2(events)) AS n_log_n,
    sum(days) AS cell_days,
    arg_min(place, (-events, place)) AS cell_top
FROM of_cell JOIN cells ON cell = key & 16777215 GROUP BY n;

CREATE TEMP TABLE returns AS
SELECT n, count(*) AS cell_returns
FROM (
    SELECT n, lag(n, 2) OVER () AS n2, cell, lag(cell, 2) OVER () AS cell2
    FROM events WHERE moved
) WHERE n = n2 AND cell = cell2 GROUP BY n;

-- Outgoing calls in order, each beside the one before.
CREATE TEMP TABLE calls AS
WITH beside AS (
    SELECT
        n, start, local, duration, answer, other, pos,
        lag(n) OVER () IS NOT DISTINCT FROM n AS follows,
        lag(start + greatest(duration, 0)) OVER () AS end_before,
        lag(local) OVER () AS local_before,
        lag(other) OVER () AS other_before,
        (row_number() OVER ())::INTEGER AS rank
    FROM events WHERE t = 0
)
SELECT
    n, start, local, duration, answer, pos, rank, follows, local_before,
    CASE WHEN follows THEN greatest(start - end_before, 0) END AS gap,
    other >> 50 AS digits,
    CASE WHEN follows AND other >> 50 = other_before >> 50 AND other >> 50 BETWEEN 7 AND 15
        THEN other::BIGINT - other_before::BIGINT END AS step,
    other % 1125899906842624 // 10000
        = other_before % 1125899906842624 // 10000 AS same_block,
    NOT follows OR local // 3600 <> local_before // 3600 AS new_hour,
    NOT follows OR local // 3600 NOT IN (local_before // 3600, local_before // 3600 + 1)
        AS new_run,
    duration > 0 AND answer <> 0 AS talked
FROM beside;

CREATE TEMP TABLE outgoing AS
SELECT
    n,
    count(*) FILTER (talked) AS talked,
    sum(duration) FILTER (talked) AS talked_s,
    sum(duration::BIGINT * duration) FILTER (talked) AS talked_s2,
    median(duration) FILTER (talked) AS talk_median_s,
    count(*) FILTER (talked AND duration < 15) AS talked_short,
    count(*) FILTER (talked AND duration > 180) AS talked_long,
    count(gap) AS successions,
    count(*) FILTER (gap < 3600) AS gaps,
    sum(gap) FILTER (gap < 3600) AS gap_s,
    sum(gap::BIGINT * gap) FILTER (gap < 3600) AS gap_s2,
    median(gap) FILTER (gap < 3600) AS gap_median_s,
    count(*) FILTER (gap <= 30) AS back_to_back,
    count(*) FILTER (step <> 0) AS dial_steps,
    count(*) FILTER (step <> 0 AND abs(step) <= 100) AS dial_near,
    count(*) FILTER (step <> 0 AND same_block) AS dial_same_block,
    count(*) FILTER (step > 0) AS dial_up,
    bit_or(1::UINTEGER << (local % 86400 // 3600)) AS hours_of_day,
    count(*) FILTER (local % 86400 >= 1800 AND local % 86400 < 19800) AS moc_night,
    min(rank) AS first_rank
FROM calls GROUP BY n;

-- Only new lines need the calls of their first day.
CREATE TEMP TABLE first_day AS
SELECT c.n, count(*) AS moc_first_day
FROM calls c JOIN (
    SELECT n, first_s FROM totals WHERE first_s - getvariable('first') > 172800
) t ON c.n = t.n AND c.start - t.first_s < 86400
GROUP BY c.n;

-- Clock hours with a call, then hours of the day and days.
CREATE TEMP TABLE hours AS
SELECT
    n, local // 3600 AS hour, local, rank, new_run, local_before,
    coalesce(lead(rank) OVER (), (SELECT count(*) + 1 FROM calls)) - rank AS calls
FROM calls WHERE new_hour;

CREATE TEMP TABLE clock AS
WITH of_day AS (
    SELECT n, hour % 24 AS hour, sum(calls)::INTEGER AS calls, count(*) AS hours
    FROM hours GROUP BY ALL
)
SELECT n, sum(hours) AS out_hours, sum(calls * log2(calls)) AS n_log_n FROM of_day GROUP BY n;

CREATE TEMP TABLE busy_day AS
SELECT n, max(calls) AS moc_day_max
FROM (SELECT n, hour // 24 AS day, sum(calls) AS calls FROM hours GROUP BY ALL)
GROUP BY n;

-- Runs of consecutive clock hours; the longest a day is the block of that day: hours, calls,
-- earliness and length in one number.
CREATE TEMP TABLE blocks AS
WITH numbered AS (
    SELECT *, (row_number() OVER ())::INTEGER AS hour_no FROM hours
),
runs AS (
    SELECT
        n, local AS begins,
        coalesce(lead(rank) OVER (), (SELECT count(*) + 1 FROM calls)) - rank AS calls,
        coalesce(lead(hour_no) OVER (), (SELECT count(*) + 1 FROM hours)) - hour_no AS hours,
        coalesce(lead(local_before) OVER (), (SELECT arg_max(local, rank) FROM calls)) AS ends
    FROM numbered WHERE new_run
),
best AS (
    SELECT n, begins // 86400 AS day, max((hours::UBIGINT << 56) | (calls::UBIGINT << 40)
        | ((131071 - begins % 86400)::UBIGINT << 23) | (ends - begins)::UBIGINT) AS best
    FROM runs GROUP BY ALL
)
SELECT n, day, (best >> 56)::INTEGER AS hours, ((best >> 40) & 65535)::INTEGER AS calls,
    131071 - ((best >> 23) & 131071)::INTEGER AS second, (best & 8388607)::INTEGER AS length
FROM best;

CREATE TEMP TABLE shifts AS
SELECT
    n,
    count(*) AS block_days,
    sum(least(hours, 24)) AS block_hours_sum,
    sum(calls) AS block_calls,
    sum(second) AS starts,
    sum(second::BIGINT * second) AS starts2,
    sum(second + length) AS ends,
    sum((second + length)::BIGINT * (second + length)) AS ends2
FROM blocks GROUP BY n;

CREATE TEMP TABLE edges AS
WITH wide AS (
    SELECT n, day * 86400 + second AS begins, day * 86400 + second + length AS ends, calls, length
    FROM blocks WHERE calls >= 10 AND length >= 7200
),
sides AS (
    SELECT w.n, w.begins, any_value(calls) AS calls, any_value(length) AS length,
        count(*) FILTER (local - begins <= 1800 OR ends - local <= 1800) AS edge
    FROM wide w JOIN calls c ON c.n = w.n AND local BETWEEN begins AND ends
    GROUP BY w.n, w.begins
)
SELECT n, sum(edge - 2) AS edge_calls, sum((calls - 2) * 3600000 // length) AS expected
FROM sides GROUP BY n;

-- The busiest rolling hour: calls open an hour, the running sums tell how many are open.
CREATE TEMP TABLE busiest AS
WITH marks AS (
    SELECT (n::UBIGINT << 43) | ((start * 2 + 1)::UBIGINT << 18) | greatest(duration, 0) AS mark
    FROM calls
    UNION ALL
    SELECT (n::UBIGINT << 43) | ((start * 2 + 7200)::UBIGINT << 18) | greatest(duration, 0)
    FROM calls
),
running AS (
    SELECT mark,
        sum(((mark >> 18) & 1)::INTEGER * 2 - 1) OVER w AS calls,
        sum((((mark >> 18) & 1)::INTEGER * 2 - 1) * (mark & 262143)::INTEGER) OVER w AS talk
    FROM (FROM marks ORDER BY mark) WINDOW w AS (ROWS UNBOUNDED PRECEDING)
)
SELECT (mark >> 43)::INTEGER AS n, max(calls) AS moc_hour_max, max(talk) AS moc_hour_talk_s
FROM running GROUP BY ALL;

CREATE TEMP TABLE busiest_texts AS
WITH marks AS (
    SELECT (n::UBIGINT << 32) | (start * 2 + 1) AS mark FROM events WHERE t = 2
    UNION ALL
    SELECT (n::UBIGINT << 32) | (start * 2 + 7200) FROM events WHERE t = 2
),
running AS (
    SELECT mark, sum((mark & 1)::INTEGER * 2 - 1) OVER (ROWS UNBOUNDED PRECEDING) AS texts
    FROM (FROM marks ORDER BY mark)
)
SELECT (mark >> 32)::INTEGER AS n, max(texts) AS sms_mo_hour_max FROM running GROUP BY ALL;

-- Calls at the same time, swept only for lines that have any.
CREATE TEMP TABLE at_once AS
WITH talks AS (
    SELECT n, start, start + duration AS ends,
        max((n::BIGINT << 32) + start + duration)
            OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest
    FROM (SELECT n, start, duration FROM events WHERE t <= 1 AND duration > 0)
),
busy AS (
    SELECT DISTINCT n FROM talks WHERE (n::BIGINT << 32) + start < latest
),
marks AS (
    SELECT unnest([(n::BIGINT << 32) + start * 2 + 1, (n::BIGINT << 32) + ends * 2]) AS mark
    FROM talks SEMI JOIN busy USING (n)
),
running AS (
    SELECT mark, sum((mark & 1) * 2 - 1) OVER (ROWS UNBOUNDED PRECEDING) AS calls
    FROM (FROM marks ORDER BY mark)
)
SELECT (mark >> 32)::INTEGER AS n, max(calls) AS at_once FROM running GROUP BY ALL;

-- Parties: events of a line and party brought together in order of time, by a hash of both.
CREATE TEMP TABLE met AS
SELECT
    hash(n, other) AS tie, n, other, pos, t, (local // 86400)::UTINYINT AS day,
    start * 2 + (t <> 0 OR answer <> 0)::INTEGER AS moment
FROM events ORDER BY tie, pos;

-- The lowest bit of a moment is 0 for an outgoing call not answered.
CREATE TEMP TABLE beside AS
WITH numbered AS (
    SELECT *, lag(tie) OVER () IS DISTINCT FROM tie AS opens FROM met
),
paired AS (
    SELECT *, (sum(opens::INTEGER) OVER (ROWS UNBOUNDED PRECEDING))::INTEGER AS pair FROM numbered
),
latest AS (
    SELECT n, other, pos, t, day, moment, pair,
        max(CASE WHEN t = 0 THEN (pair::BIGINT << 32) + moment END) OVER w AS last_call,
        max(CASE WHEN t IN (1, 3) THEN pair END) OVER w = pair AS known
    FROM paired WINDOW w AS (ROWS UNBOUNDED PRECEDING)
)
SELECT *, lag(last_call) OVER () AS call_before FROM latest;

DROP TABLE met;

CREATE TEMP TABLE pairs AS
SELECT
    pair,
    any_value(n) AS n,
    any_value(other) AS other,
    min(pos) AS first_pos,
    count(*) FILTER (t = 0) AS moc,
    bit_or(1::UTINYINT << t) AS types,
    bool_or(moment & 1 = 0) AS missed,
    count(*) FILTER (t = 0 AND call_before >> 32 = pair AND call_before & 1 = 0
        AND (moment >> 1) - ((call_before & 4294967295) >> 1) <= 3600) AS redials,
    count(*) FILTER (t = 0 AND known) AS after_incoming,
    bit_or(1::UBIGINT << (day + 1)) FILTER (t = 0) AS moc_days,
    min((last_call & 1) + 1) FILTER (t = 1 AND last_call >> 32 = pair
        AND (moment >> 1) - ((last_call & 4294967295) >> 1) <= 86400) AS returned
FROM beside GROUP BY pair;

-- The call that opens the second half of each line's calls.
CREATE TEMP TABLE middles AS
SELECT o.n, c.pos AS middle
FROM outgoing o JOIN totals t USING (n)
JOIN calls c ON c.rank = o.first_rank + (t.moc + 1) // 2 AND t.moc > 1;

CREATE TEMP TABLE contacts AS
SELECT
    n,
    count(*) FILTER (moc > 0) AS called,
    sum(moc) AS called_calls,
    count(*) FILTER (moc = 1) AS called_once,
    max(moc) AS called_top1,
    list_sum(max(moc, 5)) AS called_top5,
    sum(moc * log2(moc)) FILTER (moc > 1) AS n_log_n,
    count(*) FILTER (moc > 0 AND types & 10 > 0) AS who_return,
    count(*) FILTER (types & 2 > 0) AS callers,
    count(*) FILTER (types & 4 > 0) AS texted,
    count(*) FILTER (types & 12 = 12) AS texted_who_text,
    count(*) FILTER (types & 5 = 5) AS texted_and_called,
    count(*) FILTER (missed) AS called_missed,
    sum(redials) AS redials,
    sum(after_incoming) AS after_incoming,
    sum(bit_count(moc_days)) AS day_contacts,
    count(returned) AS who_call_back,
    count(*) FILTER (returned = 1) AS missed_who_call_back,
    sum(moc) FILTER (first_pos >= middle) AS late_calls_new,
    count(*) FILTER (moc > 0 AND other >> 50 BETWEEN 7 AND 15) AS called_digits
FROM pairs LEFT JOIN middles USING (n) GROUP BY n;

CREATE TEMP TABLE number_blocks AS
SELECT n, count(*) AS called_blocks
FROM (
    SELECT DISTINCT n, other % 1125899906842624 // 10000 AS block
    FROM pairs WHERE moc > 0 AND other >> 50 BETWEEN 7 AND 15
) GROUP BY n;

-- Handsets: runs of events on one handset are few.
CREATE TEMP TABLE runs AS
SELECT n, imei & 18446744073709551615 - (15::UBIGINT << 54) AS handset,
    (imei >> 54) & 15 AS sent, imei % 1125899906842624 AS digits, (imei >> 50) & 15 AS length,
    imsi & 1152921504606846975 AS sim,
    coalesce(lead(pos) OVER (), (SELECT count(*) + 1 FROM events)) - pos AS events
FROM events WHERE swapped;

CREATE TEMP TABLE switches AS
SELECT n, count(*) AS handset_changes
FROM (SELECT n, lag(n) OVER () AS n1, handset, lag(handset) OVER () AS handset1 FROM runs)
WHERE n = n1 AND handset <> handset1 GROUP BY n;

CREATE TEMP TABLE handsets AS
WITH sims AS (
    SELECT handset, count(*) AS sims
    FROM (SELECT DISTINCT handset, sim FROM runs) GROUP BY handset
),
serials AS (
    SELECT handset,
        count(*) OVER (PARTITION BY digits // 1000000 ORDER BY (digits % 1000000)::INTEGER
            RANGE BETWEEN 8 PRECEDING AND 8 FOLLOWING) - 1 AS neighbours
    FROM (SELECT handset, any_value(digits) AS digits FROM runs GROUP BY handset)
),
luhn AS (
    SELECT handset, any_value(sent) AS sent, any_value(length) AS length,
        any_value(digits) AS digits, (10 - sum(CASE WHEN i % 2 = 1 THEN d
            WHEN d < 5 THEN d * 2 ELSE d * 2 - 9 END) % 10) % 10 AS "check"
    FROM (
        SELECT *, (digits // (10::BIGINT ** i)::UBIGINT % 10)::INTEGER AS d
        FROM (SELECT handset, any_value(sent) AS sent, any_value(length) AS length,
            any_value(digits) AS digits FROM runs GROUP BY handset), range(14) AS place(i)
    ) GROUP BY handset
)
SELECT handset, sims, neighbours,
    (sent BETWEEN 1 AND 13 AND sent <> "check") OR length <> 14 OR digits < 1000000
        OR digits % 11111111111111 = 0 AS invalid
FROM sims JOIN serials USING (handset) JOIN luhn USING (handset);

CREATE TEMP TABLE devices AS
WITH of_line AS (
    SELECT n, handset, sum(events) AS events FROM runs GROUP BY ALL
),
sims_of_line AS (
    SELECT n, count(DISTINCT sim) AS sims FROM runs GROUP BY n
)
SELECT
    n,
    count(*) AS handsets,
    arg_min(handset, (-events, handset)) AS handset_top,
    max(h.sims) AS handset_sims,
    max(neighbours) AS neighbours,
    count(*) FILTER (invalid) AS handsets_invalid,
    any_value(s.sims) AS sims
FROM of_line JOIN handsets h USING (handset) JOIN sims_of_line s USING (n) GROUP BY n;

-- Calls on handsets that several SIMs use.
CREATE TEMP TABLE passed AS
SELECT
    (row_number() OVER ())::INTEGER AS number, n, handset, sim, start, ends,
    lag(handset) OVER () = handset AND lag(sim) OVER () <> sim AS turn
FROM (
    SELECT n, imei & 18446744073709551615 - (15::UBIGINT << 54) AS handset,
        imsi & 1152921504606846975 AS sim, start, start + greatest(duration, 0) AS ends
    FROM events
    WHERE t <= 1 AND handset IN (SELECT handset FROM handsets WHERE sims > 1)
    ORDER BY handset, start, sim
);

CREATE TEMP TABLE overlapping AS
SELECT n, count(*) AS handset_overlaps
FROM passed a SEMI JOIN passed b
    ON a.handset = b.handset AND a.sim <> b.sim AND a.start < b.ends AND b.start < a.ends
    AND a.ends > a.start AND b.ends > b.start
GROUP BY n;

CREATE TEMP TABLE turns AS
SELECT n, count(*) AS handset_turns FROM passed WHERE turn GROUP BY n;

CREATE TEMP VIEW measures AS
SELECT
    lpad((line % 1125899906842624)::VARCHAR, ((line >> 50) & 15)::INTEGER, '0') AS line,
    t.* EXCLUDE (days, moc_days, in_days, sms_days),
    o.* EXCLUDE (n, hours_of_day), p.* EXCLUDE (n, n_log_n), c.* EXCLUDE (n, n_log_n),
    s.* EXCLUDE n, d.* EXCLUDE n,
    events AS placed,
    bit_count(days) AS days,
    bit_count(moc_days) AS moc_days,
    bit_count(moc_days & in_days) AS moc_days_with_incoming,
    bit_count(sms_days) AS sms_days,
    bit_count(days) AS placed_days,
    log2(events) - p.n_log_n / events AS cell_entropy_bit,
    log2(called_calls) - coalesce(c.n_log_n, 0) / called_calls AS called_entropy_bit,
    log2(moc) - k.n_log_n / moc AS hour_entropy_bit,
    bit_count(hours_of_day) AS hours_of_day,
    sqrt(greatest(talked * talked_s2 - talked_s * talked_s, 0) / (talked * (talked - 1)))
        AS talk_sd_s,
    sqrt(greatest(gaps * gap_s2 - gap_s * gap_s, 0) / (gaps * (gaps - 1))) AS gap_sd_s,
    sqrt(greatest(block_days * starts2 - starts * starts, 0) / (block_days * (block_days - 1)))
        / 60 AS shift_start_sd_min,
    sqrt(greatest(block_days * ends2 - ends * ends, 0) / (block_days * (block_days - 1)))
        / 60 AS shift_end_sd_min,
    out_hours, moc_day_max, moc_first_day, edge_calls, expected AS edge_expected_milli,
    moc_hour_max, moc_hour_talk_s, sms_mo_hour_max, called_blocks,
    coalesce(at_once, 1) AS at_once,
    coalesce(cell_returns, 0) AS cell_returns,
    coalesce(handset_changes, 0) AS handset_changes,
    coalesce(handset_overlaps, 0) AS handset_overlaps,
    coalesce(handset_turns, 0) AS handset_turns,
    lpad((handset_top % 1125899906842624)::VARCHAR, ((handset_top >> 50) & 15)::INTEGER, '0')
        AS top_imei,
    x.text AS top_cell
FROM totals t
JOIN lines USING (n) JOIN places p USING (n) JOIN contacts c USING (n) JOIN devices d USING (n)
LEFT JOIN outgoing o USING (n) LEFT JOIN clock k USING (n) LEFT JOIN shifts s USING (n)
LEFT JOIN returns USING (n) LEFT JOIN busy_day USING (n) LEFT JOIN edges USING (n)
LEFT JOIN busiest USING (n) LEFT JOIN busiest_texts USING (n) LEFT JOIN at_once USING (n)
LEFT JOIN number_blocks USING (n) LEFT JOIN switches USING (n) LEFT JOIN overlapping USING (n)
LEFT JOIN turns USING (n) LEFT JOIN first_day USING (n)
LEFT JOIN (
    SELECT id, any_value(text) AS text FROM read_parquet(getvariable('texts')) GROUP BY id
) x ON x.id = cell_top & 1152921504606846975;
