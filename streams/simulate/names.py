"""Words that the simulated council is made of. All people are made up."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Abigail Adele Aidan Alan Amara Anita Arjun Beatrice Bethan Callum Carys Cerys Chidi Clare Colin"
    " Daniel Deepa Denise Dilys Dominic Eilidh Elaine Emeka Erin Esther Farah Fergus Fiona Gareth Gemma"
    " Glenda Graham Gwen Hamish Hannah Hassan Helen Howard Imogen Iona Isaac Jasmine Joan Joyce Kamal"
    " Karen Keith Kwame Lena Leon Lorna Lucy Malik Maria Martin Mei Miriam Morag Nadia Neil Niamh Nigel"
    " Olive Omar Oscar Pamela Patrick Pauline Priya Rachel Rajan Rhian Robin Rosa Ruth Sadia Sanjay"
    " Sheila Simon Sofia Stella Tariq Teresa Thomas Tobias Una Vera Victor Violet Wanda Wendy Yasmin"
    " Yusuf Zara Zoe"
)

SURNAMES = _words(
    "Abbott Adeyemi Ainsworth Ashdown Banerjee Barlow Beckford Bellamy Birtwell Blackwood Bowers"
    " Bramley Brook Calloway Carswell Chaudhry Cheng Clegg Corbett Cragg Dalton Darby Dempster Dewhurst"
    " Drummond Eastwood Eccles Edwell Fairclough Fenwick Finch Garside Gill Glover Goodall Greave Hallam"
    " Hargreaves Hartley Hebden Holroyd Hussain Ibrahim Ingham Jagger Jessop Kaur Kendrick Kershaw Khan"
    " Kirkby Lamb Langton Lister Lomax Lund Makinde Marsden Mellor Moorcroft Naylor Newsome Nuttall"
    " Oakes Ogden Okafor Ormerod Parkin Patel Peel Pickles Prescott Quigley Rafferty Ramsden Redfern"
    " Rigby Rowntree Sagar Sethi Shaw Siddall Singleton Stott Sutcliffe Tatham Thackray Thorpe Tindall"
    " Uttley Varley Wadsworth Walmsley Whitaker Winder Wolfenden Woodhead Wragg Yates"
)

TOPICS = _words(
    "agenda allocation appointment assessment briefing budget case-meeting closure complaint"
    " consultation contract cover duty feedback handover induction invoice leave maintenance meeting"
    " minutes newsletter panel parking plan policy procurement programme referral report review"
    " roadworks rota schedule supervision survey timetable training transport update visit workshop"
)

DOCUMENTS = _words(
    "agenda budget_tracker care_pathway_guidance checklist contract_draft draft_policy duty_rota"
    " form_template induction_pack inspection_plan meeting_notes minutes newsletter_draft panel_dates"
    " parking_permits performance_summary procurement_log project_plan risk_register roadworks_map"
    " service_plan site_plan supervision_template survey_results team_brief training_slides vehicle_log"
)

EXTENSIONS = ("docx", "docx", "docx", "xlsx", "xlsx", "pdf", "pdf", "pptx", "txt")

WEBMAIL = ("gmail.com", "outlook.com", "hotmail.co.uk", "yahoo.co.uk", "icloud.com", "btinternet.com")
"""Real webmail domains, since the classification of destinations knows these; the mailboxes are made up."""

SITES = _words(
    "www.daily-herald.example news.valley.example weather.skies.example maps.wayfinder.example"
    " www.train-times.example shop.household.example recipes.kitchen.example sport.scores.example"
    " guidance.ministry.example legislation.statutes.example www.care-standards.example"
    " learn.training.example www.encyclopaedia.example video.screenings.example search.finder.example"
    " cdn.assets.example fonts.assets.example stats.counter.example www.stationery.example"
    " library.catalogue.example planning.portal.example tenders.exchange.example"
)

UPLOAD_SITES = (
    ("forms.survey-tool.example", "/submit", "text/html", (600, 9_000)),
    ("meet.collab.example", "/v2/attachments", "application/json", (2_000, 400_000)),
    ("www.job-finder.example", "/apply/cv", "text/html", (20_000, 180_000)),
    ("translate.lingua.example", "/document", "application/json", (3_000, 60_000)),
    ("tenders.exchange.example", "/api/responses", "application/json", (5_000, 900_000)),
)
"""Where staff send something in the course of a day: site, path, reply's type, bytes of the request."""

CORRESPONDENTS = _words(
    "advocacy.example builders-merchant.example carers-forum.example chartered-surveyors.example"
    " community-trust.example district-council.example housing-association.example law-partners.example"
    " office-supplies.example parish-council.example recruitment.example school-academy.example"
    " training-provider.example transport-operator.example"
)
"""Outside organisations that are in no sharing agreement."""

_EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0"
    " Safari/537.36 Edg/144.0.0.0"
)
AGENTS = (_EDGE, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0")
