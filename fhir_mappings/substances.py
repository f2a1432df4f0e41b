"""Drugs and other substances by name: where an allergy is only written out, what is it to?

Ingredient, brands, abbreviations and Korean names, one line per drug. How a name is found in the words: `names.py`; hyphens and
spaces are one. A name never decides as a code does: it raises the question, or settles that the text names something else
entirely.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from fhir_mappings.names import any_of, plain

LISTED = {  # of EXC-13
    "idarubicin": ("idarubicine", "idamycin", "zavedos", "4-demethoxydaunorubicin", "이다루비신", "이다마이신", "자베도스"),
    "etoposide": ("etoposid", "vp-16", "vp16", "vepesid", "etopophos", "toposar", "lastet", "에토포시드", "에토포사이드", "베페시드", "라스텟"),
    "ifosfamide": ("ifosfamid", "ifex", "holoxan", "mitoxana", "이포스파미드", "이포스파마이드", "홀록산"),
    "cytarabine": ("cytarabin", "cytosine arabinoside", "ara-c", "arac", "cytosar", "alexan", "depocyt", "vyxeos", "시타라빈", "사이타라빈", "싸이타라빈", "아라씨"),
    "vincristine": ("vincristin", "vincristina", "oncovin", "vincasar", "marqibo", "vcr", "빈크리스틴", "온코빈"),
    "mercaptopurine": ("mercaptopurin", "6-mp", "6mp", "purinethol", "puri-nethol", "purixan", "xaluprine", "메르캅토푸린", "머캅토퓨린", "머캡토퓨린", "푸리네톨", "퓨리네톨", "퓨리네톤"),
    "blinatumomab": ("blincyto", "블리나투모맙", "블린사이토"),
}  # fmt: skip
RELATED = {  # interfaces 7 names these ingredients; the others are the same ones by other names
    "daunorubicin": ("daunorubicine", "daunomycin", "daunoblastin", "cerubidine", "dnr", "다우노루비신", "다우노마이신"),
    "teniposide": ("teniposid", "vm-26", "vumon", "테니포시드", "테니포사이드"),
    "cyclophosphamide": ("cyclophosphamid", "ctx", "cytoxan", "endoxan", "시클로포스파미드", "사이클로포스파미드", "사이클로포스파마이드", "엔독산"),
    "thioguanine": ("tioguanine", "6-tg", "6tg", "lanvis", "티오구아닌"),
    "polysorbate 80": ("tween 80", "폴리소르베이트 80", "폴리소르베이트80"),
    "benzyl alcohol": ("벤질알코올", "벤질 알코올"),
}
LIKELY = {  # not listed, but probably given
    "asparaginase": ("l-asparaginase", "l-asp", "peg-asparaginase", "pegaspargase", "crisantaspase", "calaspargase", "oncaspar", "elspar", "erwinase", "erwinaze",
                     "rylaze", "asparlas", "kidrolase", "leunase", "아스파라기나제", "아스파라기나아제", "류나제", "로이나제", "온카스파"),
    "methotrexate": ("methotrexat", "mtx", "trexall", "메토트렉세이트", "메토트렉사트"),
    "dexamethasone": ("dexamethason", "decadron", "덱사메타손", "덱사메사손"),
    "prednisone": ("prednison", "prednisolone", "prednisolon", "orapred", "pediapred", "프레드니손", "프레드니솔론", "소론도"),
}  # fmt: skip
OF_NO_ONE_DRUG = (  # may be any of them
    "chemotherapy", "chemotherapeutic", "chemo", "antineoplastic", "anti-neoplastic", "anticancer", "anti-cancer", "cytotoxic", "cytostatic",
    "anthracycline", "anthracyclines", "vinca", "alkylating", "antimetabolite", "antimetabolites", "thiopurine", "thiopurines", "epipodophyllotoxin", "항암", "안트라사이클린", "빈카",
)  # fmt: skip
EVERYDAY = (
    "penicillin", "penicillins", "penicillin g", "penicillin v", "amoxicillin", "ampicillin", "amoxicillin clavulanate", "clavulanate", "clavulanic acid",
    "augmentin", "piperacillin", "tazobactam", "oxacillin", "nafcillin", "페니실린", "페니실린계", "아목시실린", "암피실린",
    "cephalosporin", "cephalosporins", "cefaclor", "cefazolin", "cefdinir", "cefixime", "cefotaxime", "ceftriaxone", "ceftazidime", "cefuroxime",
    "cefepime", "cephalexin", "cefalexin", "세팔로스포린", "세팔로스포린계", "세파계", "세파클러", "세파졸린", "세프트리악손", "세포탁심",
    "sulfa", "sulfa drugs", "sulfonamide", "sulfonamides", "sulfamethoxazole", "trimethoprim", "bactrim", "septra", "cotrimoxazole", "co-trimoxazole", "설파제", "설파",
    "nsaid", "nsaids", "aspirin", "ibuprofen", "naproxen", "ketorolac", "diclofenac", "아스피린", "이부프로펜", "나프록센", "케토롤락", "소염진통제",
    "latex", "natural rubber latex", "라텍스", "contrast", "contrast media", "contrast medium", "contrast agent", "contrast dye", "iodinated contrast",
    "iodinated contrast media", "iodine", "gadolinium", "조영제", "요오드", "adhesive tape", "tape", "반창고",
    "peanut", "peanuts", "nut", "nuts", "tree nut", "tree nuts", "egg", "eggs", "milk", "cow's milk", "soy", "wheat", "gluten", "shellfish", "shrimp", "crab", "fish",
    "kiwi", "peach", "strawberry", "땅콩", "견과류", "견과", "호두", "계란", "달걀", "우유", "대두", "콩", "밀", "밀가루", "갑각류", "새우", "게", "생선", "고등어", "복숭아",
    "pollen", "pollens", "grass pollen", "tree pollen", "dust", "house dust", "dust mite", "dust mites", "house dust mite", "house dust mites", "mite", "mites", "mold", "mould",
    "cat", "cats", "dog", "dogs", "cat dander", "dog dander", "bee", "bee sting", "bee venom", "wasp", "insect bite", "꽃가루", "먼지", "집먼지", "집먼지진드기", "진드기",
    "고양이", "고양이털", "개", "개털", "벌", "벌독", "곰팡이",
)  # fmt: skip
NOTHING = ("nkda", "nka", "none", "none known", "없음", "알레르기 없음", "알러지 없음")  # and whatever begins with "no known"

_FILLERS = re.compile(r"\b(allergy|allergies|allergic|to|hypersensitivity|anaphylaxis|reaction|rash|hives|urticaria)\b|알레르기|알러지|과민반응|과민증|두드러기|발진")
_MARKS = re.compile(r"[-‐‑–_.:®™]+")  # no more than a blank
_BETWEEN = re.compile(r"[,;/+&|()]|\band\b|\bor\b|\bwith\b|및|와 |과 ")


def named(said: str, drugs: dict[str, tuple[str, ...]] | tuple[str, ...]) -> bool:
    """Does the text name one of these, whatever else it says?"""
    return any_of(_names(drugs), _MARKS).search(_plain(said)) is not None


def all_known(said: Iterable[str], *groups: dict[str, tuple[str, ...]] | tuple[str, ...]) -> bool:
    """Is every part of these texts one of these names, and nothing besides?"""
    known = frozenset[str]().union(*(_plainly(_names(group)) for group in groups))
    parts = [part for words in said for each in _BETWEEN.split(words.lower()) if (part := _plain(_FILLERS.sub(" ", each)))]
    return bool(parts) and all(part in known for part in parts)


def denies(said: str) -> bool:
    return said.strip().lower().startswith("no known") or _plain(said) in _plainly(NOTHING)


def _plain(words: str) -> str:
    return plain(words, _MARKS)


def _names(drugs: dict[str, tuple[str, ...]] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for drug in drugs for name in (drug, *(drugs[drug] if isinstance(drugs, dict) else ())))


@cache
def _plainly(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(_plain, names))
