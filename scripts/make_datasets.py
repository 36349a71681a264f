"""Make the tables that ship in src/sharewise/data/datasets/files from their sources.

    python scripts/make_datasets.py SOURCE [OUT]

SOURCE is a folder with health/nhanes_2009_2012.parquet (the raw NHANES 2009-2012 table), tabular/enb.parquet,
sensors/ai4i2020.parquet and classic/parkinsons_telemonitoring.parquet. The cards beside the tables say what was
changed; run again, this writes the very same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

OUT = Path(__file__).parent.parent / "src" / "sharewise" / "data" / "datasets" / "files"
YES_NO = {"Yes": "yes", "No": "no"}
HOURS = {"0_hrs": 0.0, "0_to_1_hr": 0.5, "1_hr": 1.0, "2_hr": 2.0, "3_hr": 3.0, "4_hr": 4.0, "More_4_hr": 5.0}

# raw column: (our name, recoding of its values)
NHANES = {
    "Gender": ("gender", None),
    "Age": ("age", None),
    "Race3": ("ethnicity", str.lower),
    "Education": ("education", {"8th Grade": "8th grade", "9 - 11th Grade": "9th to 11th grade",
                                "High School": "high school", "Some College": "some college",
                                "College Grad": "college graduate"}),
    "MaritalStatus": ("marital_status", {"Married": "married", "NeverMarried": "never married",
                                         "Divorced": "divorced", "Widowed": "widowed", "LivePartner": "with partner",
                                         "Separated": "separated"}),
    "HHIncomeMid": ("household_income_usd", None),
    "Poverty": ("income_to_poverty_ratio", None),
    "HomeRooms": ("home_rooms", None),
    "HomeOwn": ("home", {"Own": "owned", "Rent": "rented", "Other": "other"}),
    "Smoke100": ("smoked_100_cigarettes", YES_NO),
    "SmokeNow": ("smokes_now", YES_NO),
    "SmokeAge": ("smoking_started_age", None),
    "Alcohol12PlusYr": ("drinks_12_a_year", YES_NO),
    "AlcoholDay": ("drinks_a_drinking_day", None),
    "AlcoholYear": ("drinking_days_a_year", None),
    "SleepHrsNight": ("sleep_hours", None),
    "TVHrsDay": ("tv_hours", HOURS),
    "CompHrsDay": ("computer_hours", HOURS),
    "DaysPhysHlthBad": ("bad_physical_days", None),
    "nPregnancies": ("pregnancies", None),
    "nBabies": ("babies", None),
    "Age1stBaby": ("first_baby_age", None),
    "Height": ("height_cm", None),
    "UrineVol1": ("urine_volume_ml", None),
    "UrineFlow1": ("urine_flow_ml_min", None),
    # targets
    "Diabetes": ("diabetes", YES_NO),
    "SleepTrouble": ("sleep_trouble", YES_NO),
    "PhysActive": ("active", YES_NO),
    "HardDrugs": ("hard_drugs", YES_NO),
    "Work": ("work", {"Working": "working", "NotWorking": "not working", "Looking": "looking for work"}),
    "HealthGen": ("health", {"Poor": "poor", "Fair": "fair", "Good": "good", "Vgood": "very good",
                             "Excellent": "excellent"}),
    "Depressed": ("depressed", {"None": "none", "Several": "several", "Most": "most"}),
    "DaysMentHlthBad": ("bad_mental_days", None),
    "BMI": ("bmi", None),
    "BPSysAve": ("systolic_mmhg", None),
    "BPDiaAve": ("diastolic_mmhg", None),
    "TotChol": ("cholesterol_mmol", None),
    "DirectChol": ("hdl_mmol", None),
}


def nhanes(source: Path) -> pd.DataFrame:
    """Adults of 20 and over who were examined in 2011-2012."""
    raw = pd.read_parquet(source / "health" / "nhanes_2009_2012.parquet")
    raw = raw[(raw["SurveyYr"] == "2011_12") & (raw["Age"] >= 20) & (raw["WTMEC2YR"] > 0)]
    table = pd.DataFrame({name: recode(raw[column], rule) for column, (name, rule) in NHANES.items()})
    table.loc[table["diastolic_mmhg"] == 0, "diastolic_mmhg"] = np.nan
    return table.reset_index(drop=True)


def energy(source: Path) -> pd.DataFrame:
    """Energy efficiency under the names that its authors give the columns."""
    names = {"Relative_compactness": "relative_compactness", "X1": "surface_area_m2", "X3": "wall_area_m2",
             "X4": "roof_area_m2", "X5": "height_m", "X6": "orientation", "X7": "glazing_share",
             "X8": "glazing_distribution", "Y1": "heating_load", "Y2": "cooling_load"}
    return pd.read_parquet(source / "tabular" / "enb.parquet").rename(columns=names)[list(names.values())]


def ai4i(source: Path) -> pd.DataFrame:
    """AI4I 2020 without its two columns of identifiers."""
    names = {"Type": "quality", "Air temperature [K]": "air_temperature_k",
             "Process temperature [K]": "process_temperature_k", "Rotational speed [rpm]": "speed_rpm",
             "Torque [Nm]": "torque_nm", "Tool wear [min]": "tool_wear_min", "Machine failure": "failure",
             "TWF": "tool_wear_failure", "HDF": "heat_failure", "PWF": "power_failure", "OSF": "overstrain_failure",
             "RNF": "random_failure"}
    return pd.read_parquet(source / "sensors" / "ai4i2020.parquet").rename(columns=names)[list(names.values())]


def parkinsons(source: Path) -> pd.DataFrame:
    """Parkinsons telemonitoring; names in lower case without signs."""
    raw = pd.read_parquet(source / "classic" / "parkinsons_telemonitoring.parquet")
    names = {"Jitter(%)": "jitter_percent", "Jitter(Abs)": "jitter_abs", "Shimmer(dB)": "shimmer_db"}
    return raw.rename(columns=lambda name: names.get(name, name.replace(":", "_").lower()))


def recode(column: pd.Series, rule: object) -> pd.Series:
    """The column's values by a dict, by a function, or as they are; missing stays missing."""
    if rule is None:
        return column
    values = column.astype(object)
    done = values.map(rule, na_action="ignore")
    if (done.isna() & values.notna()).any():
        raise SystemExit(f"{column.name}: {values[done.isna() & values.notna()].unique()} is not recoded")
    return done


def main() -> None:
    """Write every table."""
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    source, out = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else OUT
    for make in (nhanes, energy, ai4i, parkinsons):
        table = make(source)
        for name in table.columns:  # whole numbers as such; float32 in its own short decimals
            if table[name].dtype.kind == "f" and (table[name].dropna() % 1 == 0).all():
                table[name] = table[name].astype("Int64")
        path = out / f"{make.__name__}.csv.gz"
        table.to_csv(path, index=False, compression={"method": "gzip", "compresslevel": 9, "mtime": 0})
        print(path, table.shape, f"{path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
