-- wav(samples): a WAV file of 16-bit samples, whose channels take turns.
CREATE FUNCTION public.little_endian(n bigint, bytes integer) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(set_byte('\x00', 0, ((n >> 8 * i) & 255)::integer), ''::bytea ORDER BY i) FROM generate_series(0, bytes - 1) AS i
$$;
CREATE FUNCTION public.wav(samples integer[], rate integer DEFAULT 16000, channels integer DEFAULT 1) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT convert_to('RIFF', 'UTF8') || little_endian(36 + length(data), 4) || convert_to('WAVEfmt ', 'UTF8') || little_endian(16, 4)
        || little_endian(1, 2) || little_endian(channels, 2) || little_endian(rate, 4) || little_endian(2 * rate * channels, 4)
        || little_endian(2 * channels, 2) || little_endian(16, 2) || convert_to('data', 'UTF8') || little_endian(length(data), 4) || data
    FROM (SELECT coalesce(string_agg(little_endian(s, 2), ''::bytea ORDER BY i), '') AS data FROM unnest(samples) WITH ORDINALITY AS u (s, i)) AS d
$$;
