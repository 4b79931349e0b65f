-- Read all circuits that are not clean.
-- KEYS[1] circuits
-- Returns {time, {name, circuit as JSON, name, circuit, …}}
-- @include now
return { now(), redis.call('HGETALL', KEYS[1]) }
