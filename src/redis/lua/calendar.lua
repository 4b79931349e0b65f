local DAY_MS = 86400000

-- A day, counted from the epoch, as yyyymmdd (H. Hinnant, chrono-Compatible Low-Level Date Algorithms: civil_from_days).
local function date_of(day)
    local shifted = day + 719468
    local era = math.floor(shifted / 146097)
    local rest = shifted - era * 146097
    local year = math.floor(
        (rest - math.floor(rest / 1460) + math.floor(rest / 36524) - math.floor(rest / 146096)) / 365)
    local of_year = rest - (365 * year + math.floor(year / 4) - math.floor(year / 100))
    local from_march = math.floor((5 * of_year + 2) / 153)
    local of_month = of_year - math.floor((153 * from_march + 2) / 5) + 1
    local month = from_march < 10 and from_march + 3 or from_march - 9
    return string.format('%04d%02d%02d', year + era * 400 + (month <= 2 and 1 or 0), month, of_month)
end

-- A time, in milliseconds since the epoch, as yyyymmdd in UTC.
local function date_at(at)
    return date_of(math.floor(at / DAY_MS))
end
