-- Read the limits of a tenant's month.
-- KEYS[1] credits
-- Returns {1, {what counts as low, {name, limit, spent, held, …}}}
-- @include now
-- @include calendar
-- @include credits
-- @include limits
return { 1, limits_of({ credits = KEYS[1] }, now()) }
