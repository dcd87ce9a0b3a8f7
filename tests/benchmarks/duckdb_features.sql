-- The features of the benchmark from the counts of each line (view or table `measures`); the last
-- statement of both DuckDB jobs. Writes the file named by the variable `features`.
COPY (
SELECT
    line,
    CASE WHEN handsets = 0 AND sims = 0 AND placed = 0 THEN 'fixed' ELSE 'mobile' END AS segment,
    events, moc, mtc, sms_mo, sms_mt,
    to_timestamp(first_s + getvariable('base')) AS first_seen,
    to_timestamp(last_s + getvariable('base')) AS last_seen,
    days AS active_days, top_cell, top_imei,

    moc / nullif(moc + mtc, 0) AS out_share,
    CASE WHEN moc >= 10 THEN (mtc = 0)::DOUBLE END AS zero_in,
    coalesce(talk_out_s, 0) / nullif(coalesce(talk_out_s, 0) + coalesce(talk_in_s, 0), 0)
        AS out_talk_share,
    mtc_answered / nullif(mtc_answered + mtc_unanswered, 0) AS answered_in_share,
    (moc_days - coalesce(moc_days_with_incoming, 0)) / nullif(moc_days, 0) AS outbound_only_days,

    called / nullif(called_calls, 0) AS distinct_ratio,
    called_calls / nullif(called, 0) AS calls_per_contact,
    called_top1 / nullif(called_calls, 0) AS top1_share,
    called_top5 / nullif(called_calls, 0) AS top5_share,
    CASE WHEN called_calls > 1 THEN called_entropy_bit / log2(called_calls) END AS called_entropy,
    called_once / nullif(called, 0) AS once_share,
    day_contacts / nullif(moc_days, 0) AS distinct_per_day,
    coalesce(late_calls_new, 0) / nullif(called_calls // 2, 0) AS new_contact_share,

    handsets::DOUBLE AS imeis_per_line,
    sims::DOUBLE AS imsis_per_line,
    handset_sims::DOUBLE AS sims_per_imei,
    handset_overlaps / nullif(moc + mtc, 0) AS imei_overlap_share,
    handset_turns / days AS imei_turns_per_day,
    handsets_invalid / nullif(handsets, 0) AS imei_invalid_share,
    handset_changes / days AS imei_switches_per_day,
    neighbours::DOUBLE AS imei_neighbours,

    CASE WHEN window_days >= 3 THEN (last_s - first_s) / 86400 / window_days END AS life_share,
    CASE WHEN window_days >= 3 THEN (first_out_s - data_first) / 86400 END AS silent_start_days,
    CASE WHEN window_days >= 3 AND first_s - data_first > 172800
        THEN coalesce(moc_first_day, 0) / nullif(moc, 0) END AS first_day_share,
    CASE WHEN window_days >= 3 THEN moc_day_max / nullif(moc, 0) END AS burst_share,
    CASE WHEN window_days >= 3 THEN least(days / ceil(window_days), 1) END AS active_days_share,
    CASE WHEN window_days >= 3 THEN (data_last - last_s) / 86400 END AS tail_silence_days,
    CASE WHEN window_days >= 3 AND first_s - data_first > 172800
        THEN (first_out_s - first_s) / 60 END AS first_out_minutes,

    sms_mt / nullif(sms_mt + moc, 0) AS sms_in_share,
    sms_mo / nullif(sms_mo + moc, 0) AS sms_out_share,
    coalesce(sms_days, 0) / days AS sms_days_share,
    texted_who_text / nullif(texted, 0) AS sms_two_way,
    coalesce(sms_mo_hour_max, 0)::DOUBLE AS sms_hour_max,
    texted_and_called / nullif(texted, 0) AS sms_called_overlap,

    cells::DOUBLE AS distinct_cells,
    cell_top_events / placed AS top_cell_share,
    cell_entropy_bit AS cell_entropy,
    cell_changes / nullif(placed - 1, 0) AS cell_change_share,
    cell_days / placed_days AS cells_per_day,
    cell_returns / nullif(cell_changes, 0) AS cell_return_share,

    dial_near / nullif(dial_steps, 0) AS called_sequence,
    dial_same_block / nullif(dial_steps, 0) AS called_block_share,
    abs(2 * dial_up - dial_steps) / nullif(dial_steps, 0) AS called_order,
    called_digits / nullif(called_blocks, 0) AS calls_per_block,

    moc_answered / nullif(moc_answered + moc_unanswered, 0) AS answer_ratio,
    talked_s / nullif(talked, 0) AS mean_duration,
    talk_median_s AS median_duration,
    talked_short / nullif(talked, 0) AS short_share,
    talked_long / nullif(talked, 0) AS long_share,
    CASE WHEN talked > 1 THEN talk_sd_s * talked / talked_s END AS duration_cv,
    redials / nullif(moc_unanswered, 0) AS redial_share,

    who_return / nullif(called, 0) AS reciprocity,
    who_call_back / nullif(called, 0) AS callback_share,
    missed_who_call_back / nullif(called_missed, 0) AS missed_callback_share,
    callers / nullif(callers + called, 0) AS callers_share,
    after_incoming / nullif(called_calls, 0) AS prior_incoming_share,

    block_hours_sum / block_days AS block_hours,
    block_calls / nullif(moc, 0) AS block_share,
    edge_calls * 1000 / nullif(edge_expected_milli, 0) AS edge_sharpness,
    CASE WHEN block_days >= 3 THEN shift_start_sd_min END AS shift_start_sd,
    CASE WHEN block_days >= 3 THEN shift_end_sd_min END AS shift_end_sd,
    CASE WHEN moc > 0 THEN hours_of_day::DOUBLE END AS active_hours,
    moc_night / nullif(moc, 0) AS night_share,
    hour_entropy_bit AS hour_entropy,

    coalesce(talked_s, 0) / (out_hours * 3600) AS erlang_active,
    CASE WHEN gaps >= 3 THEN gap_median_s END AS gap_median,
    CASE WHEN gaps >= 3 AND gap_s > 0 THEN gap_sd_s * gaps / gap_s END AS gap_cv,
    back_to_back / nullif(successions, 0) AS back_to_back,
    coalesce(moc_hour_max, 0)::DOUBLE AS busiest_hour,
    moc / nullif(out_hours, 0) AS calls_per_active_hour,
    CASE WHEN talked > 0 THEN moc_hour_talk_s / 3600 END AS busy_hour_talk,
    CASE WHEN talked > 0 THEN at_once::DOUBLE END AS max_concurrent
FROM measures, (
    SELECT
        getvariable('first') AS data_first,
        getvariable('last') AS data_last,
        greatest(getvariable('last') - getvariable('first'), 1) / 86400 AS window_days
)
) TO (getvariable('features')) (FORMAT parquet);
