//! `spoke demo`: a local HubSpot, its copy in an SQLite file, and changes that the copy follows.
//!
//! Nothing here is a short cut: the emulator listens on a port, and the copy is made by the same pipeline that
//! `spoke sync` runs, from a configuration file that stays in the folder to be looked at.

mod copy;
mod folder;
mod portal;

use std::time::Duration;

use opencdc::Until;
use tokio_util::sync::CancellationToken;

use self::copy::Copy;
use self::folder::Folder;
use self::portal::Portal;
use crate::cli::Demo;
use crate::commands::sync::{run_pipeline, stop_when_interrupted};
use crate::compose;
use crate::exit::{Failure, Outcome};
use crate::printer::{data, note};
use crate::settings::Settings;

/// The object types that are copied.
const OBJECTS: [&str; 5] = ["contacts", "companies", "deals", "tickets", "line_items"];
/// How long to look at the copy before the next change, when following.
const BETWEEN_CHANGES: Duration = Duration::from_secs(5);

/// Runs the demo in its folder.
pub(crate) async fn run(arguments: Demo) -> Outcome {
    let folder = Folder::make(&arguments.dir)?;
    let portal = Portal::start().await?;
    data(&format!(
        "1. A local HubSpot is at {}, with {}",
        portal.url,
        portal.contents().await?
    ));

    let settings = Settings::parse(folder.config(), &folder.write_config(&portal.url)?)?;
    let demo = Running {
        folder,
        portal,
        settings,
        stop: stop_when_interrupted(),
    };
    data(&format!(
        "\n2. Snapshot into `{}`",
        demo.folder.database().display()
    ));
    demo.pass().await?;
    demo.compare().await?;

    data("\n3. Something happens in HubSpot");
    demo.change_and_follow(1).await?;
    demo.show_queries()?;
    if !arguments.once {
        demo.follow().await?;
    }
    demo.goodbye(arguments.once);
    Ok(())
}

struct Running {
    folder: Folder,
    portal: Portal,
    settings: Settings,
    stop: CancellationToken,
}

impl Running {
    /// One pass of the pipeline over all streams.
    async fn pass(&self) -> Outcome {
        let pipelines = self.settings.pipelines(&[])?;
        for (name, written) in pipelines {
            let pipeline = compose::pipeline(&self.settings, name, written).await?;
            let summary = run_pipeline(&pipeline, Until::CaughtUp, &self.stop).await?;
            data(&indented(&summary.to_string()));
        }
        Ok(())
    }

    /// Changes records, copies them, and compares.
    async fn change_and_follow(&self, round: u64) -> Outcome {
        data(&format!("   {}", self.portal.mutate(round).await?));
        self.pass().await?;
        self.compare().await
    }

    /// The proof: every record that HubSpot has, against the row that the copy has.
    async fn compare(&self) -> Outcome {
        let copy = Copy::open(&self.folder.database())?;
        for object in OBJECTS {
            let truth = self.portal.truth(object).await?;
            let differences = copy.differences(object, &truth)?;
            if !differences.is_empty() && !self.stop.is_cancelled() {
                return Err(Failure::failed(format!(
                    "the copy of {object} differs: {}",
                    differences.join("; ")
                )));
            }
        }
        data(&format!(
            "   compared with HubSpot record by record: {}",
            copy.counts(&OBJECTS)?
        ));
        Ok(())
    }

    fn show_queries(&self) -> Outcome {
        let database = self.folder.database();
        data(&format!(
            "\n4. Three queries worth trying: `sqlite3 {}`",
            database.display()
        ));
        let copy = Copy::open(&database)?;
        for (question, sql) in copy::QUERIES {
            data(&format!(
                "\n   -- {question}\n{}\n\n{}",
                indented(sql),
                indented(&copy.query(sql)?)
            ));
        }
        Ok(())
    }

    async fn follow(&self) -> Outcome {
        data("\n5. Following: records keep changing, the copy keeps up; stop with Ctrl-C");
        for round in 2.. {
            // Either branch may be dropped: nothing has begun.
            tokio::select! {
                () = tokio::time::sleep(BETWEEN_CHANGES) => {}
                () = self.stop.cancelled() => break,
            }
            self.change_and_follow(round).await?;
        }
        Ok(())
    }

    fn goodbye(&self, once: bool) {
        let config = self.folder.config();
        note(&format!(
            "\nThe copy stays in `{}`; the configuration that made it is `{}`.",
            self.folder.database().display(),
            config.display()
        ));
        if once {
            note("Next: `spoke demo` keeps following, `spoke config init` starts with your own account.");
        }
    }
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("   {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
